"""What a failed refresh leaves behind for all machines, and when the next one comes."""

import asyncio

import pytest
from unit.vault.fakes import ALICE, FIRST, NOW, SECOND, Answer, answer, issued, signed_in, tokens

from webex_oauth.errors import (
    AnswerLost,
    DeadlineExceeded,
    RateLimited,
    RefreshPostponed,
    RequestNotSent,
    ServerFailed,
    UpstreamError,
)
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.secret import Secret
from webex_oauth.vault.token_endpoint import LONGEST_BACKOFF_SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.check("B22")]

HTML = HttpResponse(200, {"content-type": "text/html"}, b"<html>")

NOT_PROCESSED, AMBIGUOUS = 0, 1
LEFT_BEHIND: list[tuple[Answer, tuple[int, int, int]]] = [
    (RequestNotSent("no connection"), (NOT_PROCESSED, 1, 1)),
    (HttpResponse(429, {"retry-after": "7"}), (NOT_PROCESSED, 0, 8)),
    (HttpResponse(429, {"retry-after": "999999"}), (NOT_PROCESSED, 0, 3_601)),
    (HttpResponse(503), (NOT_PROCESSED, 1, 1)),
    (HttpResponse(503, {"retry-after": "9"}), (NOT_PROCESSED, 1, 10)),
    (answer(401, {"error": "invalid_client"}), (NOT_PROCESSED, 1, 1)),
    (answer(400, {"error": "unauthorized_client"}), (NOT_PROCESSED, 1, 1)),
    (AnswerLost("reset"), (AMBIGUOUS, 1, 1)),
    (DeadlineExceeded("10 s"), (AMBIGUOUS, 1, 1)),
    (HttpResponse(408), (AMBIGUOUS, 1, 1)),
    (HttpResponse(500), (AMBIGUOUS, 1, 1)),
    (HttpResponse(502), (AMBIGUOUS, 1, 1)),
    (HttpResponse(504), (AMBIGUOUS, 1, 1)),
    (HTML, (AMBIGUOUS, 1, 1)),
]


@pytest.mark.check("B10", "B11")
@pytest.mark.parametrize(("line", "left_behind"), LEFT_BEHIND, ids=lambda value: repr(value)[:50])
async def test_a_failure_is_stored_and_no_machine_asks_before_the_cool_down_is_over(
    line: Answer, left_behind: tuple[int, int, int]
) -> None:
    fixture = await signed_in(line, issued(2), lives_for=30)

    assert await fixture.vault.access_token(ALICE) == FIRST
    assert await fixture.trouble() == left_behind

    await fixture.change(tokens=tokens())
    other = fixture.another_vault()
    fixture.clock.now += left_behind[2] - 1
    for vault in (fixture.vault, other):
        with pytest.raises((RefreshPostponed, RateLimited), match="come back in 1 s"):
            await vault.access_token(ALICE)
    assert len(fixture.endpoint.requests) == 1

    fixture.clock.now += 1
    assert await other.access_token(ALICE) == SECOND
    assert await fixture.trouble() == (0, 0, 0)


async def test_a_throttled_refresh_is_told_as_such_on_every_machine() -> None:
    fixture = await signed_in(HttpResponse(429, {"retry-after": "30"}))
    with pytest.raises(RateLimited):
        await fixture.vault.access_token(ALICE)
    fixture.clock.now += 21

    with pytest.raises(RateLimited) as limit:
        await fixture.another_vault().access_token(ALICE)

    assert limit.value.retry_after_seconds == 10


async def test_two_hundred_callers_of_a_throttled_server_cause_one_request_an_interval() -> None:
    fixture = await signed_in(*[HttpResponse(429, {"retry-after": "3"})] * 3)
    asked_at = []
    fixture.endpoint.before_answer = lambda: asked_at.append(fixture.clock.now - NOW)

    for second in range(12):
        fixture.clock.now = NOW + second
        callers = [fixture.vault.access_token(ALICE) for _ in range(200)]
        outcomes = await asyncio.gather(*callers, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {RateLimited}

    assert asked_at == [0, 4, 8]


async def test_failures_in_a_row_make_the_wait_longer_up_to_five_minutes() -> None:
    fixture = await signed_in(*[HttpResponse(503)] * 14)
    waits = []

    for _ in range(14):
        with pytest.raises(ServerFailed):
            await fixture.vault.access_token(ALICE)
        retry_at = (await fixture.stored()).trouble.retry_at
        waits.append(retry_at - fixture.clock.now)
        fixture.clock.now = retry_at + fixture.vault.quiet_seconds

    assert waits[0] == 1
    assert all(wait <= min(2**number, 300) for number, wait in enumerate(waits))
    assert all(wait >= 150 for wait in waits[-3:])
    assert max(waits) <= LONGEST_BACKOFF_SECONDS


@pytest.mark.parametrize("line", [HttpResponse(429, {"retry-after": "60"}), HttpResponse(500)])
async def test_a_troubled_endpoint_is_left_alone_by_all_grants_of_the_process(
    line: HttpResponse,
) -> None:
    fixture = await signed_in(line)
    with pytest.raises(UpstreamError):
        await fixture.vault.access_token(ALICE)
    await fixture.admit(tokens("access-3", refresh="refresh-3"))

    with pytest.raises((RateLimited, RefreshPostponed)):
        await fixture.vault.access_token(ALICE)

    assert fixture.endpoint.presented() == ["refresh-1"]
    assert await fixture.trouble() == (0, 0, 0)
    assert fixture.vault.quiet_seconds > 0


async def test_a_connection_that_fails_for_one_grant_is_tried_for_another() -> None:
    fixture = await signed_in(RequestNotSent("no connection"), issued(4))
    with pytest.raises(RequestNotSent):
        await fixture.vault.access_token(ALICE)
    await fixture.admit(tokens("access-3", refresh="refresh-3"))

    assert await fixture.vault.access_token(ALICE) == Secret("access-4")
    assert fixture.vault.quiet_seconds == 0


async def test_a_success_ends_the_count_of_failures() -> None:
    failure = HttpResponse(503)
    fixture = await signed_in(failure, failure, failure, issued(2, expires_in=1), failure)
    for _ in range(3):
        with pytest.raises(ServerFailed):
            await fixture.vault.access_token(ALICE)
        fixture.clock.now += 10
    await fixture.vault.access_token(ALICE)
    fixture.clock.now += 10

    with pytest.raises(ServerFailed):
        await fixture.vault.access_token(ALICE)

    assert await fixture.trouble() == (0, 1, 1)
    assert fixture.vault.quiet_seconds == 1


@pytest.mark.check("B06")
async def test_a_cool_down_from_a_clock_far_ahead_is_not_believed() -> None:
    fixture = await signed_in(HttpResponse(503), issued(2))
    fixture.clock.now += 500_000
    with pytest.raises(ServerFailed):
        await fixture.vault.access_token(ALICE)
    fixture.clock.now = NOW

    assert await fixture.another_vault().access_token(ALICE) == SECOND
