"""A code is good once, for a while, for its client, its redirect URI and its verifier."""

from typing import Any

import pytest

from webex_oauth.emulator import MovableClock, Randomness, new_integration, seeded_world
from webex_oauth.emulator.conditions import Conditions
from webex_oauth.emulator.identity.integrations import IntegrationRegistry
from webex_oauth.emulator.identity.sign_ins import (
    AuthorizationCode,
    CodeReused,
    OAuthRefusal,
    SignIns,
    read_authorization_request,
    read_return_address,
)

CLIENT = new_integration(Randomness(1))
REDIRECT_URI = CLIENT.redirect_uris[0]
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = {
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
CLOCK_START = 1_000_000


class Broker:
    """Sign-ins with a clock at hand."""

    def __init__(self) -> None:
        self.clock = MovableClock(stopped_at=CLOCK_START)
        self.sign_ins = SignIns(Conditions(self.clock, Randomness(2)))

    def issue(self, **changes: str) -> str:
        fields = {
            "client_id": CLIENT.client_id,
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": "spark:kms",
            **changes,
        }
        sent = {name: value for name, value in fields.items() if value}
        address = read_return_address(sent, IntegrationRegistry([CLIENT]))
        request = read_authorization_request(sent, address, is_pkce_required=False)
        return self.sign_ins.issue_code(request, seeded_world().people[0], request.scopes).value

    def redeem(self, value: str, **changes: str | None) -> AuthorizationCode:
        fields: dict[str, Any] = {
            "client_id": CLIENT.client_id,
            "redirect_uri": REDIRECT_URI,
            "verifier": None,
            **changes,
        }
        return self.sign_ins.redeem(value, **fields)


@pytest.fixture
def broker() -> Broker:
    return Broker()


def test_a_code_has_three_parts_with_the_mark_and_can_be_redeemed(broker: Broker) -> None:
    code = broker.issue()

    assert code.split("_")[1:2] == ["EMULATOR"]
    assert broker.redeem(code).scopes == ("spark:kms",)


def test_a_code_works_only_once_and_remembers_its_grant(broker: Broker) -> None:
    code = broker.issue()
    grant_id = broker.redeem(code).grant_id

    with pytest.raises(CodeReused) as reused:
        broker.redeem(code)

    assert (reused.value.error, reused.value.grant_id) == ("invalid_grant", grant_id)


def test_a_code_lives_ten_minutes(broker: Broker) -> None:
    young, old = broker.issue(), broker.issue()

    broker.clock.advance(599)
    broker.redeem(young)
    broker.clock.advance(1)

    with pytest.raises(OAuthRefusal, match="expired"):
        broker.redeem(old)


def test_another_client_can_neither_redeem_nor_spend_a_code(broker: Broker) -> None:
    code = broker.issue()

    with pytest.raises(OAuthRefusal, match="unknown"):
        broker.redeem(code, client_id="C656d756c61746f72" + "f" * 48)

    assert broker.redeem(code).value == code


@pytest.mark.parametrize("redirect_uri", [REDIRECT_URI + "/", "", None])
def test_the_redirect_uri_must_be_the_one_of_the_request(
    broker: Broker, redirect_uri: str | None
) -> None:
    with pytest.raises(OAuthRefusal, match="redirect_uri"):
        broker.redeem(broker.issue(), redirect_uri=redirect_uri)


@pytest.mark.parametrize("redirect_uri", [REDIRECT_URI, None])
def test_a_redirect_uri_that_was_not_sent_may_stay_so(
    broker: Broker, redirect_uri: str | None
) -> None:
    code = broker.issue(redirect_uri="")

    assert broker.redeem(code, redirect_uri=redirect_uri).value == code


def test_a_verifier_is_required_and_a_wrong_one_spends_the_code(broker: Broker) -> None:
    code, other = broker.issue(**CHALLENGE), broker.issue(**CHALLENGE)

    assert broker.redeem(code, verifier=VERIFIER).value == code
    with pytest.raises(OAuthRefusal, match="does not match"):
        broker.redeem(other, verifier="x" * 43)
    with pytest.raises(CodeReused):
        broker.redeem(other, verifier=VERIFIER)
