"""Callers of rows in Redis who are cancelled in the middle of a call, at any moment."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Sequence
from functools import partial
from itertools import product

import pytest
from contracts.redis_stores import opened
from contracts.samples import NOW, name, read_one, row, store
from redis.asyncio.connection import Connection
from services.fault_proxy import FaultProxy, fault_proxy
from services.redis import RedisServer, fresh_prefix

from webex_oauth.stores.redis import RedisRows
from webex_oauth.stores.redis.address import connection_options, read_address
from webex_oauth.stores.redis.calls import Pool
from webex_oauth.vault.rows import Change, Kind, Row

pytestmark = [pytest.mark.anyio, pytest.mark.check("H04")]

PEOPLE = range(1, 21)
CALLS = 600
QUESTIONS = 5
POOL_SIZE = 4
LATENCY_SECONDS = 0.02
SEED = 20_260_101


def session_of(person: int) -> Row:
    return row(person, Kind.SESSION, rev=person, group=name(person), at=NOW)


@pytest.fixture
async def proxy(redis_server: RedisServer) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
async def crowded_rows(redis_server: RedisServer, proxy: FaultProxy) -> AsyncIterator[RedisRows]:
    """Open rows with few connections, where each person has a session and a grant."""
    url = redis_server.url(port=proxy.port, prefix=fresh_prefix(), pool_size=str(POOL_SIZE))
    async with opened(url) as rows:
        for person in PEOPLE:
            await store(rows, session_of(person), row(person))
        yield rows


async def check_own_answer(rows: RedisRows, person: int, question: int) -> None:
    """Ask one of several questions about one person, and check that the answer is theirs."""
    session = session_of(person)
    match question:
        case 0:
            assert await read_one(rows, session) == session
        case 1:
            assert list(await rows.read(row(person), session)) == [row(person), session]
        case 2:
            assert list(await rows.of_group(Kind.SESSION, session.group, 9)) == [session]
        case 3:
            assert await rows.apply([Change(session, person)], durably=False)
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


async def test_a_cancelled_caller_leaves_no_answer_to_the_next_one(
    crowded_rows: RedisRows, proxy: FaultProxy
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same accidents every time
    await proxy.slows(LATENCY_SECONDS)
    outcomes: list[object] = []

    for _ in range(CALLS // 50):
        calls = [
            check_own_answer(crowded_rows, chance.choice(PEOPLE), chance.randrange(QUESTIONS))
            for _ in range(50)
        ]
        outcomes += await cancel_at_random(calls, chance)

    assert [one for one in outcomes if isinstance(one, AssertionError)] == []
    assert {type(one) for one in outcomes} == {type(None), asyncio.CancelledError}
    assert outcomes.count(None) > CALLS / 10


async def test_cancelled_callers_cost_no_place_in_the_pool(
    crowded_rows: RedisRows, proxy: FaultProxy
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same accidents every time
    await proxy.slows(LATENCY_SECONDS)
    for _ in range(10):
        calls = [check_own_answer(crowded_rows, person, 0) for person in PEOPLE]
        await cancel_at_random(calls, chance)
    await proxy.heals()

    for _ in range(5):
        await asyncio.gather(
            *(
                check_own_answer(crowded_rows, person, question)
                for person, question in product(PEOPLE, range(QUESTIONS))
            )
        )

    assert proxy.connection_count <= POOL_SIZE


async def test_a_caller_cancelled_when_its_turn_comes_passes_the_turn_on(
    redis_server: RedisServer,
) -> None:
    options = connection_options(read_address(redis_server.url()))
    pool = Pool(partial(Connection, **options), size=1)

    async def use() -> None:
        async with pool.connection():
            pass

    async with pool.connection():
        first, second = asyncio.create_task(use()), asyncio.create_task(use())
        await asyncio.sleep(0)
    first.cancel()

    await asyncio.wait_for(second, 1)
    await pool.close()
