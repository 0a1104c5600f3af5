"""Tokens are issued, refreshed in every mode, counted and revoked."""

from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from webex_oauth.emulator import MovableClock, Options, Randomness, seeded_world
from webex_oauth.emulator.conditions import Conditions
from webex_oauth.emulator.identity.authorization import OAuthRefusal
from webex_oauth.emulator.identity.tokens import IssuedTokens, Tokens

CLIENT_ID = "C656d756c61746f72" + "0" * 48
OTHER_CLIENT_ID = "C656d756c61746f72" + "1" * 48
PERSON = seeded_world().people[0]
SCOPES = ("spark:people_read",)


class Mint:
    """Tokens with a clock and options at hand."""

    def __init__(self, **options: Any) -> None:
        self.clock = MovableClock(stopped_at=1_000_000)
        self.tokens = Tokens(Conditions(self.clock, Randomness(3), Options(**options)))

    def issue(self) -> IssuedTokens:
        return self.tokens.issue(CLIENT_ID, PERSON, SCOPES)

    def refresh(self, value: str) -> IssuedTokens:
        return self.tokens.refresh(CLIENT_ID, value)

    def is_refused(self, value: str) -> bool:
        try:
            self.refresh(value)
        except OAuthRefusal as refusal:
            return refusal.error == "invalid_request"
        return False


def refresh_value(tokens: IssuedTokens) -> str:
    assert tokens.refresh_token is not None
    return tokens.refresh_token.value


def access_value(tokens: IssuedTokens) -> str:
    return tokens.access_token.value


def test_tokens_have_three_parts_and_live_as_long_as_webex_says() -> None:
    mint = Mint()

    issued = mint.issue()

    assert len(access_value(issued).split("_")) == 3
    assert issued.access_token.expires_at == 1_000_000 + 1_209_599
    assert issued.refresh_token
    assert issued.refresh_token.expires_at == 1_000_000 + 7_775_999


def test_an_access_token_ends_at_its_instant() -> None:
    mint = Mint(access_token_lifetime_seconds=60)
    value = access_value(mint.issue())

    mint.clock.advance(59)
    assert mint.tokens.is_active(value)

    mint.clock.advance(1)
    assert not mint.tokens.is_active(value)


def test_a_refresh_brings_a_new_access_token_and_the_same_refresh_token_with_new_life() -> None:
    mint = Mint()
    first = mint.issue()
    mint.clock.advance(1_000)

    second = mint.refresh(refresh_value(first))

    assert access_value(second) != access_value(first)
    assert refresh_value(second) == refresh_value(first)
    assert second.refresh_token
    assert second.refresh_token.expires_at == 1_001_000 + 7_775_999
    assert mint.tokens.is_active(access_value(first))


def test_a_refresh_token_unused_for_ninety_days_is_dead() -> None:
    mint = Mint()
    value = refresh_value(mint.issue())

    mint.clock.advance(7_775_999)

    assert mint.is_refused(value)
    assert not mint.tokens.is_active(value)


def test_a_refresh_need_not_extend_the_life() -> None:
    mint = Mint(refresh_extends_lifetime=False)
    first = mint.issue()
    mint.clock.advance(1_000)

    assert mint.refresh(refresh_value(first)).refresh_token == first.refresh_token


def test_the_refresh_token_may_be_left_out_and_stays_good() -> None:
    mint = Mint(is_refresh_token_omitted_on_refresh=True)
    value = refresh_value(mint.issue())

    assert mint.refresh(value).refresh_token is None
    assert mint.refresh(value).refresh_token is None


def test_a_refresh_may_end_the_earlier_access_tokens_of_its_grant_only() -> None:
    mint = Mint(refresh_revokes_access_tokens=True)
    first, other = mint.issue(), mint.issue()

    mint.refresh(refresh_value(first))

    assert not mint.tokens.is_active(access_value(first))
    assert mint.tokens.is_active(access_value(other))


def test_rotation_replaces_the_refresh_token_and_refuses_the_old_one() -> None:
    mint = Mint(refresh_mode="rotate")
    first = mint.issue()

    second = mint.refresh(refresh_value(first))

    assert refresh_value(second) != refresh_value(first)
    assert mint.is_refused(refresh_value(first))
    assert not mint.is_refused(refresh_value(second))


def test_grace_replays_the_successor_for_a_while() -> None:
    mint = Mint(refresh_mode="rotate+grace", rotation_grace_seconds=30)
    first = mint.issue()
    second = mint.refresh(refresh_value(first))

    mint.clock.advance(29)
    assert refresh_value(mint.refresh(refresh_value(first))) == refresh_value(second)

    mint.clock.advance(1)
    assert mint.is_refused(refresh_value(first))
    assert not mint.is_refused(refresh_value(second))


def test_reuse_detection_ends_the_whole_grant() -> None:
    mint = Mint(refresh_mode="reuse-detect")
    first = mint.issue()
    second = mint.refresh(refresh_value(first))

    assert mint.is_refused(refresh_value(first))

    assert mint.is_refused(refresh_value(second))
    assert not mint.tokens.is_active(access_value(second))


def test_another_client_cannot_use_or_revoke_a_refresh_token() -> None:
    mint = Mint()
    value = refresh_value(mint.issue())

    with pytest.raises(OAuthRefusal):
        mint.tokens.refresh(OTHER_CLIENT_ID, value)
    mint.tokens.revoke(value, OTHER_CLIENT_ID)

    assert mint.tokens.is_active(value)


def test_revoking_an_access_token_leaves_its_grant() -> None:
    mint = Mint()
    issued = mint.issue()

    mint.tokens.revoke(access_value(issued), CLIENT_ID)

    assert not mint.tokens.is_active(access_value(issued))
    assert mint.tokens.is_active(refresh_value(issued))


def test_revoking_a_refresh_token_ends_its_access_tokens() -> None:
    mint = Mint()
    issued = mint.issue()
    again = mint.refresh(refresh_value(issued))

    mint.tokens.revoke(refresh_value(issued), CLIENT_ID)

    values = (access_value(issued), access_value(again), refresh_value(issued))
    assert not any(mint.tokens.is_active(value) for value in values)


def test_the_quota_counts_living_tokens_only() -> None:
    mint = Mint(access_token_quota=2, access_token_lifetime_seconds=60)
    mint.issue()
    mint.issue()

    with pytest.raises(OAuthRefusal, match="tokenlimit_reached"):
        mint.issue()

    mint.clock.advance(60)
    assert mint.tokens.is_active(access_value(mint.issue()))


def test_a_revoked_token_gives_its_place_in_the_quota_back() -> None:
    mint = Mint(access_token_quota=1)
    mint.tokens.revoke(access_value(mint.issue()))

    assert mint.tokens.is_active(access_value(mint.issue()))


def test_a_person_has_granted_what_is_within_an_earlier_grant() -> None:
    mint = Mint()
    mint.issue()

    assert mint.tokens.has_grant(CLIENT_ID, PERSON, SCOPES)
    assert not mint.tokens.has_grant(CLIENT_ID, PERSON, (*SCOPES, "spark:kms"))
    assert not mint.tokens.has_grant(OTHER_CLIENT_ID, PERSON, SCOPES)


class Family(RuleBasedStateMachine):
    """Under reuse detection one grant never has two refresh tokens that work."""

    values = Bundle("values")

    def __init__(self) -> None:
        super().__init__()
        self.mint = Mint(refresh_mode="reuse-detect")
        self.known: set[str] = set()

    @rule(target=values)
    def issue(self) -> str:
        self.mint.tokens.clear()
        value = refresh_value(self.mint.issue())
        self.known = {value}
        return value

    @rule(target=values, value=values)
    def refresh(self, value: str) -> str:
        was_active = self.mint.tokens.is_active(value)
        if self.mint.is_refused(value):
            assert not was_active
            return value
        successors = [
            one for one in self.mint.tokens._refresh_by_value.values() if one.replaced_at is None
        ]
        self.known |= {one.value for one in successors}
        return successors[-1].value

    @rule(seconds=st.integers(0, 1_000_000))
    def wait(self, seconds: int) -> None:
        self.mint.clock.advance(seconds)

    @invariant()
    def at_most_one_is_active(self) -> None:
        assert sum(self.mint.tokens.is_active(value) for value in self.known) <= 1


TestFamily = Family.TestCase
TestFamily.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
