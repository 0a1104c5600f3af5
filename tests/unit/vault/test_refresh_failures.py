"""What a failed refresh leaves behind for all machines, and when the next one comes."""

import asyncio

import pytest
from unit.vault.scripted import ALICE, NOW, Answer, House, answer, issued, tokens

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
from webex_oauth.vault.cooldown import LONGEST_BACKOFF_SECONDS

pytestmark = pytest.mark.anyio

FIRST, SECOND = Secret("access-1"), Secret("access-2")
HTML = HttpResponse(200, {"content-type": "text/html"}, b"<html>")
LOST, SLOW = AnswerLost("reset"), DeadlineExceeded("10 s")

NOT_PROCESSED, AMBIGUOUS = 0, 1
LEFT_BEHIND: list[tuple[Answer, tuple[int, int, int]]] = [
    (RequestNotSent("no connection"), (NOT_PROCESSED, 1, 1)),
    (HttpResponse(429, {"retry-after": "7"}), (NOT_PROCESSED, 0, 8)),
    (HttpResponse(429, {"retry-after": "999999"}), (NOT_PROCESSED, 0, 3_601)),
    (HttpResponse(503), (NOT_PROCESSED, 1, 1)),
    (HttpResponse(503, {"retry-after": "9"}), (NOT_PROCESSED, 1, 10)),
    (answer(401, {"error": "invalid_client"}), (NOT_PROCESSED, 1, 1)),
    (answer(400, {"error": "unauthorized_client"}), (NOT_PROCESSED, 1, 1)),
    (LOST, (AMBIGUOUS, 1, 1)),
    (SLOW, (AMBIGUOUS, 1, 1)),
    (HttpResponse(408), (AMBIGUOUS, 1, 1)),
    (HttpResponse(500), (AMBIGUOUS, 1, 1)),
    (HttpResponse(502), (AMBIGUOUS, 1, 1)),
    (HttpResponse(504), (AMBIGUOUS, 1, 1)),
    (HTML, (AMBIGUOUS, 1, 1)),
]


@pytest.mark.check("B10", "B11", "B22")
@pytest.mark.parametrize(("line", "left_behind"), LEFT_BEHIND, ids=lambda value: repr(value)[:50])
async def test_a_failure_is_written_down_for_all_machines(
    line: Answer, left_behind: tuple[int, int, int]
) -> None:
    house = House(line)
    await house.admit(tokens(lives_for=30))

    assert await house.vault.access_token(ALICE) == FIRST

    assert await house.trouble() == left_behind


@pytest.mark.check("B22")
@pytest.mark.parametrize(
    "line", [line for line, _ in LEFT_BEHIND], ids=lambda line: repr(line)[:50]
)
async def test_no_machine_asks_again_before_the_cool_down_is_over(line: Answer) -> None:
    house = House(line, issued(2))
    await house.admit(tokens())
    other = house.another_vault()
    with pytest.raises(Exception, match=r"."):
        await house.vault.access_token(ALICE)
    retry_at = (await house.row()).retry_at

    house.clock.now = retry_at - 1
    for vault in (house.vault, other):
        with pytest.raises((RefreshPostponed, RateLimited), match="come back in 1 s"):
            await vault.access_token(ALICE)
    assert len(house.transport.requests) == 1

    house.clock.now = retry_at
    assert await other.access_token(ALICE) == SECOND


@pytest.mark.check("B22")
async def test_a_throttled_refresh_is_told_as_such_on_every_machine() -> None:
    house = House(HttpResponse(429, {"retry-after": "30"}))
    await house.admit(tokens())
    with pytest.raises(RateLimited):
        await house.vault.access_token(ALICE)
    house.clock.now += 21

    with pytest.raises(RateLimited) as limit:
        await house.another_vault().access_token(ALICE)

    assert limit.value.retry_after_seconds == 10


@pytest.mark.check("B22")
async def test_two_hundred_callers_of_a_throttled_server_cause_one_request_an_interval() -> None:
    throttled = HttpResponse(429, {"retry-after": "3"})
    house = House(throttled, throttled, throttled)
    await house.admit(tokens())
    asked_at = []
    house.transport.before_answer = lambda: asked_at.append(house.clock.now - NOW)

    for second in range(12):
        house.clock.now = NOW + second
        callers = [house.vault.access_token(ALICE) for _ in range(200)]
        outcomes = await asyncio.gather(*callers, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {RateLimited}

    assert asked_at == [0, 4, 8]


@pytest.mark.check("B22")
async def test_failures_in_a_row_make_the_wait_longer_up_to_five_minutes() -> None:
    house = House(*[HttpResponse(503)] * 14)
    await house.admit(tokens())
    waits = []

    for _ in range(14):
        with pytest.raises(ServerFailed):
            await house.vault.access_token(ALICE)
        row = await house.row()
        waits.append(row.retry_at - house.clock.now)
        house.clock.now = row.retry_at + house.vault.quiet_seconds

    assert waits[0] == 1
    assert all(wait <= min(2**number, 300) for number, wait in enumerate(waits))
    assert all(wait >= 150 for wait in waits[-3:])
    assert max(waits) <= LONGEST_BACKOFF_SECONDS


@pytest.mark.check("B22")
@pytest.mark.parametrize("line", [HttpResponse(429, {"retry-after": "60"}), HttpResponse(500)])
async def test_a_troubled_endpoint_is_left_alone_by_all_grants_of_the_process(
    line: HttpResponse,
) -> None:
    house = House(line)
    await house.admit(tokens())
    with pytest.raises(UpstreamError):
        await house.vault.access_token(ALICE)
    await house.admit(tokens("access-3", refresh="refresh-3"))

    with pytest.raises((RateLimited, RefreshPostponed)):
        await house.vault.access_token(ALICE)

    assert house.transport.presented() == ["refresh-1"]
    assert (await house.row()).retry_at == 0
    assert house.vault.quiet_seconds > 0


async def test_a_connection_that_fails_for_one_grant_is_tried_for_another() -> None:
    house = House(RequestNotSent("no connection"), issued(4))
    await house.admit(tokens())
    with pytest.raises(RequestNotSent):
        await house.vault.access_token(ALICE)
    await house.admit(tokens("access-3", refresh="refresh-3"))

    assert await house.vault.access_token(ALICE) == Secret("access-4")
    assert house.vault.quiet_seconds == 0


async def test_a_success_ends_the_count_of_failures() -> None:
    failure = HttpResponse(503)
    house = House(failure, failure, failure, issued(2, expires_in=1), failure)
    await house.admit(tokens())
    for _ in range(3):
        with pytest.raises(ServerFailed):
            await house.vault.access_token(ALICE)
        house.clock.now += 10
    await house.vault.access_token(ALICE)
    house.clock.now += 10

    with pytest.raises(ServerFailed):
        await house.vault.access_token(ALICE)

    assert await house.trouble() == (0, 1, 1)
    assert house.vault.quiet_seconds == 1


@pytest.mark.check("B06")
async def test_a_cool_down_from_a_clock_far_ahead_is_not_believed() -> None:
    house = House(HttpResponse(503), issued(2))
    await house.admit(tokens())
    house.clock.now += 500_000
    with pytest.raises(ServerFailed):
        await house.vault.access_token(ALICE)
    house.clock.now = NOW

    assert await house.another_vault().access_token(ALICE) == SECOND
