"""Codes are redeemed once; tokens are issued, refreshed in every mode, counted and revoked."""

from typing import Any

import pytest

from webex_oauth.emulator import MovableClock, Options, Randomness, new_integration, seeded_world
from webex_oauth.emulator.conditions import Conditions
from webex_oauth.emulator.identity import OAuthRefusal
from webex_oauth.emulator.identity.integrations import IntegrationRegistry
from webex_oauth.emulator.identity.sign_ins import (
    AuthorizationCode,
    SignIns,
    read_authorization_request,
    read_return_address,
)
from webex_oauth.emulator.identity.tokens import IssuedTokens, Tokens

CLIENT = new_integration(Randomness(1))
CLIENT_ID = CLIENT.client_id
REDIRECT_URI = CLIENT.redirect_uris[0]
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = {
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
OTHER_CLIENT_ID = "C656d756c61746f72" + "1" * 48
PERSON = seeded_world().people[0]
SCOPES = ("spark:people_read",)


class Broker:
    """Codes and tokens, told apart by their values, with a clock and options at hand."""

    def __init__(self, **options: Any) -> None:
        self.clock = MovableClock(stopped_at=1_000_000)
        conditions = Conditions(self.clock, Randomness(3), Options(**options))
        self.tokens = Tokens(conditions)
        self.sign_ins = SignIns(conditions, self.tokens)

    def issue_code(self, **changes: str) -> str:
        fields = {
            "client_id": CLIENT_ID,
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": "spark:kms",
            **changes,
        }
        sent = {name: value for name, value in fields.items() if value}
        address = read_return_address(sent, IntegrationRegistry([CLIENT]))
        request = read_authorization_request(sent, address, is_pkce_required=False)
        return self.sign_ins.issue_code(request, PERSON, request.scopes).value

    def redeem(self, value: str, **changes: str | None) -> AuthorizationCode:
        fields: dict[str, Any] = {
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "verifier": None,
            **changes,
        }
        return self.sign_ins.redeem(value, **fields)

    def issue(self) -> tuple[str, str]:
        return values_of(self.tokens.issue(CLIENT_ID, PERSON, SCOPES))

    def refresh(self, value: str) -> tuple[str, str]:
        return values_of(self.tokens.refresh(CLIENT_ID, value))

    def is_refused(self, value: str) -> bool:
        try:
            self.refresh(value)
        except OAuthRefusal as refusal:
            return refusal.error == "invalid_request"
        return False

    def active(self, *values: str) -> list[bool]:
        return [self.tokens.is_active(value) for value in values]


def values_of(issued: IssuedTokens) -> tuple[str, str]:
    refresh_token = issued.refresh_token
    return issued.access_token.value, refresh_token.value if refresh_token else ""


def test_a_code_lives_ten_minutes() -> None:
    broker = Broker()
    young, old = broker.issue_code(), broker.issue_code()

    broker.clock.advance(599)
    broker.redeem(young)
    broker.clock.advance(1)

    with pytest.raises(OAuthRefusal, match="expired"):
        broker.redeem(old)


def test_another_client_can_neither_redeem_nor_spend_a_code() -> None:
    broker = Broker()
    code = broker.issue_code()

    with pytest.raises(OAuthRefusal, match="unknown"):
        broker.redeem(code, client_id="C656d756c61746f72" + "f" * 48)

    assert broker.redeem(code).value == code


@pytest.mark.parametrize("redirect_uri", [REDIRECT_URI + "/", "", None])
def test_the_redirect_uri_must_be_the_one_of_the_request(redirect_uri: str | None) -> None:
    broker = Broker()
    with pytest.raises(OAuthRefusal, match="redirect_uri"):
        broker.redeem(broker.issue_code(), redirect_uri=redirect_uri)


@pytest.mark.parametrize("redirect_uri", [REDIRECT_URI, None])
def test_a_redirect_uri_that_was_not_sent_may_stay_so(redirect_uri: str | None) -> None:
    broker = Broker()
    code = broker.issue_code(redirect_uri="")

    assert broker.redeem(code, redirect_uri=redirect_uri).value == code


def test_a_verifier_is_required_and_a_wrong_one_spends_the_code() -> None:
    broker = Broker()
    code, other = broker.issue_code(**CHALLENGE), broker.issue_code(**CHALLENGE)

    assert broker.redeem(code, verifier=VERIFIER).value == code
    with pytest.raises(OAuthRefusal, match="does not match"):
        broker.redeem(other, verifier="x" * 43)
    with pytest.raises(OAuthRefusal, match="used before"):
        broker.redeem(other, verifier=VERIFIER)


def test_a_token_ends_at_its_instant() -> None:
    broker = Broker(access_token_lifetime_seconds=60)
    access, refresh = broker.issue()

    broker.clock.advance(59)
    assert broker.active(access, refresh) == [True, True]
    broker.clock.advance(1)
    assert broker.active(access, refresh) == [False, True]
    broker.clock.advance(7_775_999 - 60)
    assert broker.active(refresh) == [False]
    assert broker.is_refused(refresh)


def test_a_refresh_brings_a_new_access_token_and_keeps_the_refresh_token() -> None:
    broker = Broker()
    access, refresh = broker.issue()

    later_access, later_refresh = broker.refresh(refresh)

    assert later_access != access
    assert later_refresh == refresh
    assert broker.active(access, later_access) == [True, True]


@pytest.mark.parametrize(("is_extended", "end"), [(True, 1_001_000), (False, 1_000_000)])
def test_a_refresh_restarts_the_lifetime_of_the_refresh_token_or_not(
    *, is_extended: bool, end: int
) -> None:
    broker = Broker(refresh_extends_lifetime=is_extended)
    _, refresh = broker.issue()
    broker.clock.advance(1_000)

    renewed = broker.tokens.refresh(CLIENT_ID, refresh).refresh_token

    assert renewed
    assert renewed.expires_at == end + 7_775_999


def test_a_refresh_may_end_the_earlier_access_tokens_of_its_grant_only() -> None:
    broker = Broker(refresh_revokes_access_tokens=True)
    (access, refresh), (other_access, _) = broker.issue(), broker.issue()

    broker.refresh(refresh)

    assert broker.active(access, other_access) == [False, True]


def test_rotation_replaces_the_refresh_token_and_refuses_the_old_one() -> None:
    broker = Broker(refresh_mode="rotate")
    _, first = broker.issue()

    _, second = broker.refresh(first)

    assert second != first
    assert broker.is_refused(first)
    assert not broker.is_refused(second)


def test_grace_replays_the_successor_for_a_while() -> None:
    broker = Broker(refresh_mode="rotate+grace", rotation_grace_seconds=30)
    _, first = broker.issue()
    _, second = broker.refresh(first)

    broker.clock.advance(29)
    assert broker.refresh(first)[1] == second

    broker.clock.advance(1)
    assert broker.is_refused(first)
    assert not broker.is_refused(second)


def test_reuse_detection_ends_the_whole_grant() -> None:
    broker = Broker(refresh_mode="reuse-detect")
    _, first = broker.issue()
    access, second = broker.refresh(first)

    assert broker.is_refused(first)

    assert broker.is_refused(second)
    assert broker.active(access) == [False]


def test_another_client_can_neither_use_nor_revoke_a_refresh_token() -> None:
    broker = Broker()
    _, refresh = broker.issue()

    with pytest.raises(OAuthRefusal):
        broker.tokens.refresh(OTHER_CLIENT_ID, refresh)
    broker.tokens.revoke(refresh, OTHER_CLIENT_ID)

    assert broker.active(refresh) == [True]


def test_revoking_an_access_token_leaves_its_grant_and_a_refresh_token_ends_it() -> None:
    broker = Broker()
    access, refresh = broker.issue()
    later_access, _ = broker.refresh(refresh)

    broker.tokens.revoke(access, CLIENT_ID)
    assert broker.active(access, later_access, refresh) == [False, True, True]

    broker.tokens.revoke(refresh, CLIENT_ID)
    assert broker.active(access, later_access, refresh) == [False, False, False]


def test_the_quota_counts_valid_tokens_only() -> None:
    broker = Broker(access_token_quota=2, access_token_lifetime_seconds=60)
    (first, _), (_, _) = broker.issue(), broker.issue()

    with pytest.raises(OAuthRefusal, match="tokenlimit_reached"):
        broker.issue()
    broker.tokens.revoke(first)
    assert broker.active(broker.issue()[0]) == [True]
    with pytest.raises(OAuthRefusal, match="tokenlimit_reached"):
        broker.issue()

    broker.clock.advance(60)
    assert broker.active(broker.issue()[0]) == [True]
