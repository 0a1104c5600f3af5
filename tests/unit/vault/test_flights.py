"""How callers share one piece of work."""

import asyncio
import gc

import pytest
from waiting import LIMIT_SECONDS

from webex_oauth.errors import AnswerLost, DeadlineExceeded, RequestNotSent, ServerFailed
from webex_oauth.vault.vault import Flights

pytestmark = pytest.mark.anyio

KEY = b"key"


class Work:
    """Count how often it begins; end when `gate` opens."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.gate = asyncio.Event()

    async def run(self) -> int:
        self.begun += 1
        await self.gate.wait()
        self.ended += 1
        return self.begun

    async def fail(self) -> int:
        self.begun += 1
        await self.gate.wait()
        raise ServerFailed(503)


async def begun(*waiters: asyncio.Task[int]) -> None:
    """Let every waiter reach its wait."""
    for _ in range(3):
        await asyncio.sleep(0)
    assert not any(waiter.done() for waiter in waiters)


async def test_those_who_ask_together_share_one_flight() -> None:
    flights, work = Flights[int](LIMIT_SECONDS), Work()
    waiters = [asyncio.create_task(flights.join(KEY, work.run)) for _ in range(200)]
    await begun(*waiters)

    work.gate.set()

    assert await asyncio.gather(*waiters) == [1] * 200


async def test_those_who_ask_together_share_one_error() -> None:
    flights, work = Flights[int](LIMIT_SECONDS), Work()
    waiters = [asyncio.create_task(flights.join(KEY, work.fail)) for _ in range(50)]
    await begun(*waiters)

    work.gate.set()

    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ServerFailed}
    assert work.begun == 1


async def test_two_keys_have_two_flights() -> None:
    flights, work = Flights[int](LIMIT_SECONDS), Work()
    work.gate.set()

    await asyncio.gather(flights.join(b"one", work.run), flights.join(b"two", work.run))

    assert work.begun == 2


async def test_a_landed_flight_is_not_joined() -> None:
    flights, work = Flights[int](LIMIT_SECONDS), Work()
    work.gate.set()
    await flights.join(KEY, work.run)

    assert await flights.join(KEY, work.run) == 2


async def test_a_failed_flight_is_not_joined() -> None:
    flights, work = Flights[int](LIMIT_SECONDS), Work()
    work.gate.set()
    with pytest.raises(ServerFailed):
        await flights.join(KEY, work.fail)

    assert await flights.join(KEY, work.run) == 2


async def test_a_cancelled_caller_leaves_the_others_their_flight() -> None:
    flights, work = Flights[int](LIMIT_SECONDS), Work()
    first = asyncio.create_task(flights.join(KEY, work.run))
    second = asyncio.create_task(flights.join(KEY, work.run))
    await begun(first, second)

    first.cancel()
    await asyncio.wait([first])
    work.gate.set()

    assert await second == 1


async def test_a_flight_lands_although_nobody_waits_any_more() -> None:
    flights, work = Flights[int](LIMIT_SECONDS), Work()
    caller = asyncio.create_task(flights.join(KEY, work.run))
    await begun(caller)

    caller.cancel()
    await asyncio.wait([caller])
    work.gate.set()
    await flights.drain(LIMIT_SECONDS)

    assert work.ended == 1


async def test_a_flight_that_hangs_lands_at_its_deadline() -> None:
    flights, work = Flights[int](0.01), Work()

    with pytest.raises(DeadlineExceeded):
        await flights.join(KEY, work.run)


async def test_no_flight_starts_after_draining() -> None:
    flights, work = Flights[int](LIMIT_SECONDS), Work()
    await flights.drain(LIMIT_SECONDS)

    with pytest.raises(RequestNotSent):
        await flights.join(KEY, work.run)

    assert work.begun == 0


async def test_draining_ends_what_does_not_land_and_tells_those_who_wait() -> None:
    flights, work = Flights[int](LIMIT_SECONDS), Work()
    caller = asyncio.create_task(flights.join(KEY, work.run))
    await begun(caller)

    await flights.drain(0.01)

    with pytest.raises(AnswerLost):
        await caller
    assert work.ended == 0


async def test_a_launched_flight_is_waited_for_by_nobody_and_joined_by_whoever_comes() -> None:
    flights, work = Flights[int](LIMIT_SECONDS), Work()

    assert flights.launch(KEY, work.run)
    waiter = asyncio.create_task(flights.join(KEY, work.run))
    await begun(waiter)
    work.gate.set()

    assert await waiter == 1


async def test_a_second_flight_for_a_key_is_not_launched() -> None:
    flights, work = Flights[int](LIMIT_SECONDS), Work()

    assert flights.launch(KEY, work.run)
    assert not flights.launch(KEY, work.run)

    await flights.drain(0.01)
    assert not flights.launch(b"other", work.run)


@pytest.mark.bound("refreshes that nobody waits for")
async def test_so_many_unwatched_flights_and_no_more() -> None:
    flights, work = Flights[int](LIMIT_SECONDS, most_unwatched=2), Work()

    launched = [flights.launch(bytes([number]), work.run) for number in range(4)]
    joined = asyncio.create_task(flights.join(b"watched", work.run))
    await begun(joined)
    work.gate.set()
    await joined

    assert launched == [True, True, False, False]
    assert flights.launch(b"later", work.run)


async def test_an_error_that_nobody_waits_for_disturbs_nobody() -> None:
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    flights, work = Flights[int](LIMIT_SECONDS), Work()
    work.gate.set()

    flights.launch(KEY, work.fail)
    await flights.drain(LIMIT_SECONDS)
    gc.collect()

    assert work.begun == 1
    assert complaints == []
