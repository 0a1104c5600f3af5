"""From errors to what a person is told."""

import pytest

from webex_oauth.errors import (
    RateLimited,
    ReauthReason,
    ReauthRequired,
    RefreshPostponed,
    ServerFailed,
    StoreUnavailable,
)
from webex_oauth.web import webex_failures
from webex_oauth.web.failure_page import REAUTH_BY_REASON, api_failure, retry_after_seconds
from webex_oauth.web.failures import Retry


def test_every_reason_to_sign_in_again_is_told_in_its_own_words() -> None:
    told = {reason: api_failure(ReauthRequired(reason)) for reason in ReauthReason}

    assert set(REAUTH_BY_REASON) == set(ReauthReason)
    assert len({failure.what_happened for failure in told.values()}) == len(ReauthReason)
    assert {(failure.status, failure.retry) for failure in told.values()} == {(401, Retry.SIGN_IN)}


def test_a_reason_that_nobody_foresaw_still_asks_to_sign_in() -> None:
    assert api_failure(ReauthRequired("of tomorrow")) is webex_failures.REAUTH_REQUIRED


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RateLimited(7), 7),
        (ServerFailed(503, retry_after_seconds=8), 8),
        (ServerFailed(503), None),
        (RefreshPostponed("cooling down", 9), 9),
        (StoreUnavailable("away"), None),
    ],
)
def test_when_to_come_back_is_told_where_it_is_known(
    error: RateLimited, seconds: int | None
) -> None:
    assert retry_after_seconds(error) == seconds


def test_a_postponed_refresh_costs_nobody_their_session() -> None:
    failure = api_failure(RefreshPostponed("cooling down", 9))

    assert (failure.status, failure.retry) == (503, Retry.SAME_PAGE)
