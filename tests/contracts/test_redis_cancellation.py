"""Callers who leave the Redis store in the middle of a call, at any moment."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Sequence
from itertools import product

import pytest
from contracts.rows import admission, grant, name, session
from services.fault_proxy import FaultProxy, fault_proxy
from services.redis import RedisServer, fresh_prefix

from webex_oauth.stores.redis import RedisStore

pytestmark = [pytest.mark.anyio, pytest.mark.check("H04")]

PEOPLE = range(1, 21)
CALLS = 600
POOL_SIZE = 4
LATENCY_SECONDS = 0.02
SEED = 20_260_101


@pytest.fixture
async def proxy(redis_server: RedisServer) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
async def crowded_store(redis_server: RedisServer, proxy: FaultProxy) -> AsyncIterator[RedisStore]:
    """Open a store with few connections, in which each person has a session and a grant."""
    store = RedisStore(
        redis_server.url(port=proxy.port, prefix=fresh_prefix(), pool_size=str(POOL_SIZE))
    )
    await store.open()
    for person in PEOPLE:
        await store.admit(admission(person, of=person))
    yield store
    await store.close()


async def check_own_answer(store: RedisStore, person: int, question: int) -> None:
    """Ask one of several questions of one person, and see that the answer is theirs."""
    match question:
        case 0:
            assert await store.find_session(name("session", person)) == session(person, of=person)
        case 1:
            assert await store.find_grant(name("grant", person)) == grant(person)
        case 2:
            found = await store.sessions_of(name("grant", person), limit=9)
            assert found == [session(person, of=person)]
        case _:
            assert await store.time() > 1_000_000_000


async def leave_at_random(calls: Sequence[Awaitable[None]], chance: random.Random) -> list[object]:
    """Begin calls, one in two of which is cancelled some time later; give what they came to."""
    loop = asyncio.get_running_loop()
    tasks = [asyncio.ensure_future(call) for call in calls]
    for task in tasks:
        if chance.random() < 0.5:
            loop.call_later(chance.uniform(0, 10 * LATENCY_SECONDS), task.cancel)
    return list(await asyncio.gather(*tasks, return_exceptions=True))


async def test_who_leaves_leaves_no_answer_to_somebody_else(
    crowded_store: RedisStore, proxy: FaultProxy
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same accidents every time
    await proxy.slows(LATENCY_SECONDS)
    outcomes: list[object] = []

    for _ in range(CALLS // 50):
        calls = [
            check_own_answer(crowded_store, chance.choice(PEOPLE), chance.randrange(4))
            for _ in range(50)
        ]
        outcomes += await leave_at_random(calls, chance)

    assert [one for one in outcomes if isinstance(one, AssertionError)] == []
    assert {type(one) for one in outcomes} == {type(None), asyncio.CancelledError}
    assert outcomes.count(None) > CALLS / 10


async def test_no_place_in_the_pool_is_lost_by_those_who_leave(
    crowded_store: RedisStore, proxy: FaultProxy
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same accidents every time
    await proxy.slows(LATENCY_SECONDS)
    for _ in range(10):
        calls = [check_own_answer(crowded_store, person, 0) for person in PEOPLE]
        await leave_at_random(calls, chance)
    await proxy.heals()

    for _ in range(5):
        await asyncio.gather(
            *(
                check_own_answer(crowded_store, person, question)
                for person, question in product(PEOPLE, range(4))
            )
        )

    assert proxy.connection_count <= POOL_SIZE
