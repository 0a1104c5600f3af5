"""What is planned for a caller, case by case."""

from dataclasses import replace

import pytest

from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.grants import Grant
from webex_oauth.vault.refresh import (
    Plan,
    Reauthorize,
    ReauthReason,
    RefreshNow,
    Serve,
    plan,
    plan_renewal,
)

NOW = 1_800_000_000
ACCESS, REFRESH = Secret("access"), Secret("refresh")
SERVE = Serve(ACCESS)
RENEW = RefreshNow(REFRESH)
MISSING = Reauthorize(ReauthReason.REFRESH_TOKEN_MISSING)
EXPIRED = Reauthorize(ReauthReason.REFRESH_TOKEN_EXPIRED)


def grant(access_for: int | None, refresh: Secret | None, refresh_for: int | None) -> Grant:
    tokens = TokenSet(
        access_token=ACCESS,
        access_expires_at=None if access_for is None else NOW + access_for,
        refresh_token=refresh,
        refresh_expires_at=None if refresh_for is None else NOW + refresh_for,
        scopes=None,
    )
    return Grant("https://idbroker.example", "alice", tokens, frozenset())


@pytest.mark.parametrize(
    ("access_for", "refresh", "refresh_for", "expected"),
    [
        (1_000, REFRESH, 1_000, SERVE),
        (61, REFRESH, 1_000, SERVE),
        (60, REFRESH, 1_000, RENEW),
        (1, REFRESH, 1_000, RENEW),
        (0, REFRESH, 1_000, RENEW),
        (-1_000, REFRESH, 1_000, RENEW),
        (-1_000, REFRESH, None, RENEW),
        (-1_000, REFRESH, 1, RENEW),
        (-1_000, REFRESH, 0, EXPIRED),
        (-1_000, REFRESH, -1, EXPIRED),
        (1, REFRESH, 0, SERVE),
        (-1_000, None, None, MISSING),
        (0, None, None, MISSING),
        (1, None, None, SERVE),
        (1_000, None, None, SERVE),
        (None, REFRESH, 1_000, SERVE),
        (None, None, None, SERVE),
    ],
)
def test_the_plan_for_a_token_that_must_live_a_minute(
    access_for: int | None, refresh: Secret | None, refresh_for: int | None, expected: Plan
) -> None:
    assert plan(grant(access_for, refresh, refresh_for), NOW, 60) == expected


@pytest.mark.parametrize(
    ("access_for", "refresh", "refresh_for", "expected"),
    [
        (1_000, REFRESH, 1_000, RENEW),
        (None, REFRESH, None, RENEW),
        (0, REFRESH, 1_000, RENEW),
        (1_000, REFRESH, 0, EXPIRED),
        (1_000, None, None, MISSING),
    ],
)
def test_the_plan_for_a_token_that_was_refused(
    access_for: int | None, refresh: Secret | None, refresh_for: int | None, expected: Plan
) -> None:
    assert plan_renewal(grant(access_for, refresh, refresh_for), NOW) == expected


@pytest.mark.parametrize("access_for", [None, 1_000, -1_000])
def test_a_grant_that_was_refused_for_good_is_not_tried_again(access_for: int | None) -> None:
    dead = replace(grant(access_for, REFRESH, 1_000), reauth_reason="refresh_token_refused")

    assert plan(dead, NOW, 60) == Reauthorize("refresh_token_refused")
    assert plan_renewal(dead, NOW) == Reauthorize("refresh_token_refused")
