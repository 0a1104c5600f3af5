"""A code is good once, for a while, for its client, its redirect URI and its verifier."""

import pytest

from webex_oauth.emulator import MovableClock, Randomness, new_integration, seeded_world
from webex_oauth.emulator.conditions import Conditions
from webex_oauth.emulator.identity.authorization import (
    OAuthRefusal,
    read_authorization_request,
    read_return_address,
)
from webex_oauth.emulator.identity.integrations import IntegrationRegistry
from webex_oauth.emulator.identity.sign_ins import (
    AuthorizationCode,
    CodeReused,
    SignIns,
)

CLIENT = new_integration(Randomness(1))
REDIRECT_URI = CLIENT.redirect_uris[0]
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = {
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
CLOCK_START = 1_000_000


class Desk:
    """Codes with a clock at hand."""

    def __init__(self) -> None:
        self.clock = MovableClock(stopped_at=CLOCK_START)
        self.codes = SignIns(Conditions(self.clock, Randomness(2)))

    def issue(self, **changes: str) -> AuthorizationCode:
        sent = {
            "client_id": CLIENT.client_id,
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": "spark:kms",
            **changes,
        }
        sent = {name: value for name, value in sent.items() if value}
        address = read_return_address(sent, IntegrationRegistry([CLIENT]))
        request = read_authorization_request(sent, address, is_pkce_required=False)
        return self.codes.issue_code(request, seeded_world().people[0], request.scopes)

    def redeem(
        self,
        value: str,
        *,
        client_id: str = CLIENT.client_id,
        redirect_uri: str | None = REDIRECT_URI,
        verifier: str | None = None,
    ) -> AuthorizationCode:
        return self.codes.redeem(
            value, client_id=client_id, redirect_uri=redirect_uri, verifier=verifier
        )


def test_a_code_can_be_redeemed() -> None:
    desk = Desk()
    code = desk.issue()

    assert desk.redeem(code.value).scopes == ("spark:kms",)


def test_a_code_has_three_parts_and_carries_the_mark() -> None:
    assert Desk().issue().value.split("_")[1] == "EMULATOR"


def test_a_code_works_only_once_and_remembers_its_grant() -> None:
    desk = Desk()
    code = desk.issue()
    desk.codes.note_grant(desk.redeem(code.value), "the grant")

    with pytest.raises(CodeReused) as reused:
        desk.redeem(code.value)

    assert (reused.value.error, reused.value.grant_id) == ("invalid_grant", "the grant")


def test_a_code_lives_ten_minutes() -> None:
    desk = Desk()
    young, old = desk.issue(), desk.issue()

    desk.clock.advance(599)
    desk.redeem(young.value)
    desk.clock.advance(1)

    with pytest.raises(OAuthRefusal, match="expired"):
        desk.redeem(old.value)


def test_another_client_cannot_redeem_a_code_nor_spend_it() -> None:
    desk = Desk()
    code = desk.issue()

    with pytest.raises(OAuthRefusal, match="unknown"):
        desk.redeem(code.value, client_id="C656d756c61746f72" + "f" * 48)

    assert desk.redeem(code.value).value == code.value


@pytest.mark.parametrize("redirect_uri", [REDIRECT_URI + "/", "", None])
def test_the_redirect_uri_must_be_the_one_of_the_request(redirect_uri: str | None) -> None:
    desk = Desk()

    with pytest.raises(OAuthRefusal, match="redirect_uri"):
        desk.redeem(desk.issue().value, redirect_uri=redirect_uri)


@pytest.mark.parametrize("redirect_uri", [REDIRECT_URI, None])
def test_an_unsent_redirect_uri_may_stay_unsent(redirect_uri: str | None) -> None:
    desk = Desk()

    code = desk.issue(redirect_uri="")

    assert desk.redeem(code.value, redirect_uri=redirect_uri).value == code.value


def test_a_verifier_is_demanded_and_checked() -> None:
    desk = Desk()

    code = desk.issue(**CHALLENGE)

    assert desk.redeem(code.value, verifier=VERIFIER).value == code.value
    with pytest.raises(OAuthRefusal, match="does not match"):
        desk.redeem(desk.issue(**CHALLENGE).value, verifier="x" * 43)


def test_a_failed_attempt_of_its_own_client_spends_the_code() -> None:
    desk = Desk()
    code = desk.issue(**CHALLENGE)
    with pytest.raises(OAuthRefusal):
        desk.redeem(code.value, verifier="x" * 43)

    with pytest.raises(CodeReused):
        desk.redeem(code.value, verifier=VERIFIER)
