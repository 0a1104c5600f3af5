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
    """Work that counts how often it begins, and ends once its `gate` is open."""

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


@pytest.fixture
async def work() -> Work:
    return Work()


@pytest.fixture
def flights() -> Flights[int]:
    return Flights(LIMIT_SECONDS, most_unwatched=2)


async def begun(*waiters: asyncio.Task[int]) -> None:
    """Let every waiter reach its wait."""
    for _ in range(3):
        await asyncio.sleep(0)
    assert not any(waiter.done() for waiter in waiters)


@pytest.mark.parametrize("fails", [False, True])
async def test_callers_at_the_same_time_share_one_flight_and_its_result_or_error(
    flights: Flights[int], work: Work, *, fails: bool
) -> None:
    start = work.fail if fails else work.run
    waiters = [asyncio.create_task(flights.join(KEY, start)) for _ in range(200)]
    await begun(*waiters)

    work.gate.set()

    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert {ServerFailed if fails else 1} == {
        type(one) if isinstance(one, Exception) else one for one in outcomes
    }
    assert work.begun == 1


async def test_two_keys_have_two_flights(flights: Flights[int], work: Work) -> None:
    work.gate.set()

    await asyncio.gather(flights.join(b"one", work.run), flights.join(b"two", work.run))

    assert work.begun == 2


async def test_a_landed_flight_is_not_joined(flights: Flights[int], work: Work) -> None:
    work.gate.set()
    await flights.join(KEY, work.run)
    with pytest.raises(ServerFailed):
        await flights.join(KEY, work.fail)

    assert await flights.join(KEY, work.run) == 3


async def test_a_cancelled_caller_leaves_the_others_their_flight(
    flights: Flights[int], work: Work
) -> None:
    first, second = (asyncio.create_task(flights.join(KEY, work.run)) for _ in range(2))
    await begun(first, second)

    first.cancel()
    await asyncio.wait([first])
    work.gate.set()

    assert await second == 1


async def test_a_flight_that_hangs_lands_at_its_deadline(work: Work) -> None:
    with pytest.raises(DeadlineExceeded):
        await Flights[int](0.01).join(KEY, work.run)


async def test_draining_ends_what_does_not_land_and_starts_nothing(
    flights: Flights[int], work: Work
) -> None:
    caller = asyncio.create_task(flights.join(KEY, work.run))
    await begun(caller)

    await flights.drain(0.01)

    with pytest.raises(AnswerLost):
        await caller
    with pytest.raises(RequestNotSent):
        await flights.join(KEY, work.run)
    assert not flights.launch(b"other", work.run)
    assert (work.begun, work.ended) == (1, 0)


async def test_a_launched_flight_is_joined_and_not_launched_again(
    flights: Flights[int], work: Work
) -> None:
    assert flights.launch(KEY, work.run)
    assert not flights.launch(KEY, work.run)
    waiter = asyncio.create_task(flights.join(KEY, work.run))
    await begun(waiter)
    work.gate.set()

    assert await waiter == 1


@pytest.mark.bound("refreshes that nobody waits for")
async def test_so_many_unwatched_flights_and_no_more(flights: Flights[int], work: Work) -> None:
    launched = [flights.launch(bytes([number]), work.run) for number in range(4)]
    joined = asyncio.create_task(flights.join(b"watched", work.run))
    await begun(joined)
    work.gate.set()
    await joined

    assert launched == [True, True, False, False]
    assert flights.launch(b"later", work.run)


async def test_an_error_that_no_caller_waits_for_disturbs_nothing(
    flights: Flights[int], work: Work
) -> None:
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    work.gate.set()

    flights.launch(KEY, work.fail)
    await flights.drain(LIMIT_SECONDS)
    gc.collect()

    assert work.begun == 1
    assert complaints == []
