"""What rows on a server do when the network fails, and when callers are cancelled in the middle."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from itertools import product
from urllib.parse import urlsplit

import pytest
from contracts.places import WAYS, opened
from contracts.samples import NOW, absent, add, deleted, read_one, rewritten, row, store
from contracts.traffic import PROMISED_SECONDS, is_signed_in, signed_in, traffic
from services.fault_proxy import FaultProxy, fault_proxy
from waiting import SLACK_SECONDS, until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.store import Places
from webex_oauth.vault.rows import Change, Kind, Row, Rows

SERVERS = [
    *(pytest.param(way, marks=pytest.mark.check("H05")) for way in WAYS),
    pytest.param("redis", marks=pytest.mark.check("H03")),
]
SESSION = row(1, Kind.SESSION, group=b"group", at=NOW, over_at=NOW)
LATENCY_SECONDS = 0.02
ROUND_TRIP_SECONDS = 0.3
POOL_SIZE = 4
PEOPLE = range(1, 21)
QUESTIONS = 5
FAULTS = ["refuses", "hangs", "drops answers", "cuts", "is slow"]

pytestmark = [pytest.mark.anyio, pytest.mark.torture]
each_server = pytest.mark.parametrize("place", SERVERS, indirect=True)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run on the loop that serves."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
async def proxy(place: str) -> AsyncIterator[FaultProxy]:
    port = urlsplit(place).port
    assert port is not None
    async with fault_proxy(port) as proxy:
        yield proxy


@pytest.fixture
async def rows(place: str, proxy: FaultProxy) -> AsyncIterator[Rows]:
    """Open rows with few connections, all of which go through the proxy."""
    url = place.replace(f":{urlsplit(place).port}/", f":{proxy.port}/")
    async with opened(f"{url}&pool_size={POOL_SIZE}") as rows:
        await store(rows, row(), SESSION)
        yield rows
        await proxy.heals()


async def break_off(proxy: FaultProxy, fault: str) -> None:
    """Start a fault by its name."""
    match fault:
        case "refuses":
            await proxy.refuses()
        case "hangs":
            await proxy.hangs()
        case "drops answers":
            await proxy.drops_answers()
        case "cuts":
            await proxy.cuts(answer_bytes=3)
        case "is slow":
            await proxy.slows(PROMISED_SECONDS + 1)


@each_server
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_network_that_fails_is_unavailable_in_time_and_recovers(
    rows: Rows, proxy: FaultProxy, fault: str
) -> None:
    await break_off(proxy, fault)
    asked_at = time.monotonic()
    outcomes = await asyncio.gather(
        rows.check(),
        rows.read(row()),
        rows.due(Kind.SESSION, NOW, 9),
        rows.apply(add(row(9, Kind.STATE)), durably=False),
        rows.apply([rewritten(SESSION)], durably=True),
        return_exceptions=True,
    )
    took_seconds = time.monotonic() - asked_at
    await proxy.heals()

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 5
    assert took_seconds < PROMISED_SECONDS + SLACK_SECONDS
    assert took_seconds > 1.5 or fault in ("refuses", "cuts")
    await rows.check()
    assert await read_one(rows, row()) == row()
    assert await rows.apply([rewritten(row())], durably=True)


@each_server
async def test_a_write_whose_answer_was_lost_happened_once(rows: Rows, proxy: FaultProxy) -> None:
    change = rewritten(row())
    assert not await rows.apply([rewritten(change.row)], durably=True)
    await proxy.drops_answers()

    with pytest.raises(StoreUnavailable):
        await rows.apply([change], durably=True)
    await proxy.heals()

    assert await read_one(rows, row()) == change.row
    assert not await rows.apply([change], durably=True)


@each_server
async def test_connections_that_were_reset_are_made_anew_before_they_are_used(
    rows: Rows, proxy: FaultProxy
) -> None:
    await asyncio.gather(*(rows.read(row()) for _ in range(8)))

    proxy.resets()
    await asyncio.sleep(0.05)

    assert await read_one(rows, SESSION) == SESSION
    assert await rows.apply([rewritten(row())], durably=True)


@pytest.mark.parametrize("place", WAYS, indirect=True)
async def test_a_read_whose_connection_is_reset_is_tried_again(
    rows: Rows, proxy: FaultProxy
) -> None:
    await rows.check()

    proxy.resets()

    assert await read_one(rows, row()) == row()


@each_server
async def test_faults_under_load_lose_nothing(rows: Rows, proxy: FaultProxy) -> None:
    async with traffic(rows) as people:
        for fault in ("cuts", "refuses", "hangs", "drops answers"):
            await people.flows()
            await break_off(proxy, fault)
            await asyncio.sleep(0.3)
            await proxy.heals()
        await people.flows()

    assert people.outcomes["StoreUnavailable"] > 0


@each_server
async def test_every_call_is_one_round_trip(rows: Rows, proxy: FaultProxy) -> None:
    await rows.by_name(Kind.GRANT, b"", 9)
    await proxy.slows(ROUND_TRIP_SECONDS)
    first, second = row(2), row(3)
    for call in (
        rows.check,
        rows.time,
        lambda: rows.read(first, second, row()),
        lambda: rows.apply(add(first), durably=True),
        lambda: rows.apply([rewritten(first), *add(second), Change(row(), 1)], durably=False),
        lambda: rows.apply([deleted(second), Change(absent(row(4)), 0)], durably=True),
        lambda: rows.by_name(Kind.GRANT, b"", 9),
        lambda: rows.due(Kind.GRANT, NOW, 9),
        lambda: rows.over(Kind.GRANT, NOW, 9),
        lambda: rows.of_group(Kind.GRANT, b"group", 9),
    ):
        started_at = time.monotonic()
        assert await call() is not False
        assert ROUND_TRIP_SECONDS <= time.monotonic() - started_at < 2 * ROUND_TRIP_SECONDS


async def check_own_answer(rows: Rows, person: int, question: int) -> None:
    """Ask one of several questions about one person, and check that the answer is theirs."""
    grant, session = signed_in(1_000 + person)
    match question:
        case 0:
            assert await read_one(rows, session) == session
        case 1:
            assert list(await rows.read(grant, session)) == [grant, session]
        case 2:
            assert list(await rows.of_group(Kind.SESSION, session.group, 9)) == [session]
        case 3:
            assert await rows.apply([Change(grant, 1), Change(session, 1)], durably=False)
        case _:
            assert await rows.time() > 1_000_000_000


async def cancel_at_random(calls: Sequence[Awaitable[None]], chance: random.Random) -> list[object]:
    """Begin calls, half of which are cancelled some time later; return their outcomes."""
    loop = asyncio.get_running_loop()
    tasks = [asyncio.ensure_future(call) for call in calls]
    for task in tasks:
        if chance.random() < 0.5:
            loop.call_later(chance.uniform(0, 10 * LATENCY_SECONDS), task.cancel)
    return list(await asyncio.gather(*tasks, return_exceptions=True))


@each_server
@pytest.mark.check("H04")
async def test_cancelled_callers_leave_no_answer_to_others_and_cost_no_place(
    rows: Rows, proxy: FaultProxy
) -> None:
    people: list[Row] = [one for person in PEOPLE for one in signed_in(1_000 + person)]
    await store(rows, *people)
    chance = random.Random(20_260_101)  # noqa: S311 - the same accidents every time
    await proxy.slows(LATENCY_SECONDS)
    outcomes: list[object] = []

    for _ in range(20):
        calls = [
            check_own_answer(rows, chance.choice(PEOPLE), chance.randrange(QUESTIONS))
            for _ in range(30)
        ]
        outcomes += await cancel_at_random(calls, chance)
    await proxy.heals()

    assert [one for one in outcomes if isinstance(one, AssertionError)] == []
    assert {type(one) for one in outcomes} == {type(None), asyncio.CancelledError}
    assert outcomes.count(None) > len(outcomes) / 10
    for _ in range(5):
        await asyncio.gather(
            *(check_own_answer(rows, *pair) for pair in product(PEOPLE, range(QUESTIONS)))
        )
    await until_true(lambda: proxy.connection_count <= POOL_SIZE)


@each_server
@pytest.mark.check("H04")
async def test_cancelled_callers_leave_no_half_of_a_sign_in(rows: Rows, proxy: FaultProxy) -> None:
    await proxy.slows(LATENCY_SECONDS)
    chance = random.Random(5)  # noqa: S311 - which callers are cancelled is no secret

    async def sign_in_and_perhaps_leave(number: int) -> None:
        try:
            async with asyncio.timeout(chance.uniform(0, 8 * LATENCY_SECONDS)):
                await rows.apply(add(*signed_in(number)), durably=True)
        except TimeoutError:
            pass

    await asyncio.gather(*(sign_in_and_perhaps_leave(number) for number in range(10, 40)))

    await proxy.heals()
    for number in range(10, 40):
        await is_signed_in(rows, number)


@pytest.mark.check("H04")
async def test_a_caller_cancelled_when_its_turn_comes_passes_the_turn_on() -> None:
    places = Places(1)
    await places.enter()
    first, second = (asyncio.create_task(places.enter()) for _ in range(2))
    await asyncio.sleep(0)
    places.leave()
    first.cancel()

    await asyncio.wait_for(second, 1)
