"""What a failure of a refresh says about the refresh token, and when to ask again."""

import pytest
from hypothesis import given, strategies as st
from unit.vault.fakes import CLIENT, NOW, SERVER, FakeEndpoint

from webex_oauth import errors
from webex_oauth.vault.token_endpoint import (
    Cooling,
    Failure,
    TokenEndpoint,
    is_cooling,
    judge,
    retry_at,
)

NOT_PROCESSED = Failure()
AMBIGUOUS = Failure(is_ambiguous=True)
SILENCE = Failure(is_ambiguous=True, is_silence=True)
FAILED = Failure(is_ambiguous=True, concerns_all=True)
SHARES = st.floats(0, 1)


@pytest.mark.check("B10", "B11", "B22")
@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (errors.RequestNotSent("no connection"), NOT_PROCESSED),
        (errors.InvalidClient("invalid_client"), NOT_PROCESSED),
        (errors.TokenRequestRefused("unauthorized_client"), NOT_PROCESSED),
        (errors.AnswerLost("reset"), SILENCE),
        (errors.DeadlineExceeded("10 s"), AMBIGUOUS),
        (errors.InvalidResponse("html"), AMBIGUOUS),
        (errors.ResponseTooLarge("huge"), AMBIGUOUS),
        (errors.ServerFailed(408), AMBIGUOUS),
        (errors.ServerFailed(500), FAILED),
        (errors.ServerFailed(502), FAILED),
        (errors.ServerFailed(504), FAILED),
        (errors.ServerFailed(503), Failure(concerns_all=True)),
        (
            errors.ServerFailed(503, retry_after_seconds=9),
            Failure(concerns_all=True, retry_after_seconds=9),
        ),
        (
            errors.RateLimited(7),
            Failure(is_throttled=True, concerns_all=True, retry_after_seconds=7),
        ),
        (errors.InvalidGrant("invalid_grant"), Failure(is_final=True)),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_failure_is_judged_by_its_type(
    error: errors.UpstreamError | errors.TokenError, failure: Failure
) -> None:
    assert judge(error) == failure


@pytest.mark.check("B22")
@given(failure_count=st.integers(1, 10_000), share=SHARES)
def test_a_wait_doubles_up_to_five_minutes(failure_count: int, share: float) -> None:
    longest_seconds = min(300, 2 ** (failure_count - 1))

    wait_seconds = retry_at(Failure(), failure_count, NOW, share) - NOW

    assert max(1, longest_seconds // 2) <= wait_seconds <= longest_seconds


def test_waits_are_spread() -> None:
    waits = {retry_at(Failure(), 9, NOW, share / 10) - NOW for share in range(11)}

    assert (min(waits), max(waits), len(waits)) == (128, 256, 11)


@pytest.mark.check("B22")
@given(asked=st.integers(1, 10**9), share=SHARES)
def test_a_server_that_asks_for_time_gets_all_of_it_but_an_hour_at_most(
    asked: int, share: float
) -> None:
    wait_seconds = retry_at(Failure(retry_after_seconds=asked), 1, NOW, share) - NOW

    assert wait_seconds == min(asked, 3_600) + 1


@pytest.mark.parametrize(
    ("until", "expected"),
    [(NOW, False), (NOW + 1, True), (NOW + 3_601, True), (NOW + 3_602, False)],
)
def test_no_wait_is_longer_than_the_longest_time(until: int, *, expected: bool) -> None:
    assert is_cooling(until, NOW) is expected


@pytest.mark.parametrize(
    ("is_throttled", "error"), [(True, errors.RateLimited), (False, errors.RefreshPostponed)]
)
def test_a_caller_who_has_to_wait_is_told_why_and_how_long(
    *, is_throttled: bool, error: type[errors.RateLimited | errors.RefreshPostponed]
) -> None:
    raised = Cooling(NOW + 9, is_throttled=is_throttled).error(NOW)

    assert isinstance(raised, error)
    assert raised.retry_after_seconds == 9


@pytest.fixture
def endpoint() -> TokenEndpoint:
    return TokenEndpoint(FakeEndpoint([]), SERVER, CLIENT, 10.0)


def wait_seconds(endpoint: TokenEndpoint, now: int = NOW) -> int:
    cooling = endpoint.cooling(now)
    return 0 if cooling is None else cooling.until - now


@pytest.mark.parametrize("failures", [[], [AMBIGUOUS]])
def test_an_endpoint_is_not_cooling_before_a_failure_that_concerns_all(
    endpoint: TokenEndpoint, failures: list[Failure]
) -> None:
    for failure in failures:
        endpoint.note_failure(failure, NOW, 1)

    assert endpoint.cooling(NOW) is None


@pytest.mark.check("B22")
def test_failures_of_requests_that_left_together_count_as_one(endpoint: TokenEndpoint) -> None:
    for _ in range(50):
        endpoint.note_failure(FAILED, NOW, 1)

    assert wait_seconds(endpoint) == 1


@pytest.mark.check("B22")
def test_failures_one_after_the_other_make_the_wait_longer(endpoint: TokenEndpoint) -> None:
    now, waits = NOW, []

    for _ in range(4):
        endpoint.note_failure(FAILED, now, 1)
        waits.append(wait_seconds(endpoint, now))
        now += waits[-1]

    assert waits == [1, 2, 4, 8]


def test_an_answer_makes_the_next_failure_the_first(endpoint: TokenEndpoint) -> None:
    endpoint.note_failure(FAILED, NOW, 1)
    endpoint.note_answer()

    endpoint.note_failure(FAILED, NOW + 100, 1)

    assert wait_seconds(endpoint, NOW + 100) == 1


def test_a_failure_does_not_shorten_what_the_server_asked_for(endpoint: TokenEndpoint) -> None:
    asked = Failure(is_throttled=True, concerns_all=True, retry_after_seconds=60)
    endpoint.note_failure(asked, NOW, 1)

    endpoint.note_failure(FAILED, NOW, 1)

    assert wait_seconds(endpoint) == 61
