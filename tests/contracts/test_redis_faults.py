"""What the Redis store does while its server is not well, and that it recovers by itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable

import pytest
from contracts.redis_stores import opened
from contracts.rows import IDLE_SECONDS, NOW, admission, attempt, grant, name, session
from services.fault_proxy import FaultProxy, fault_proxy
from services.redis import RedisServer
from waiting import SLACK_SECONDS, until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.redis import RedisStore
from webex_oauth.vault.records import EndedSession, Lease, RevocationRecord

pytestmark = [pytest.mark.anyio, pytest.mark.check("H03")]

KEY = name("grant", 1)
LEASE = Lease(b"one who refreshes", NOW + 30)
BOUND_SECONDS = 2.0


@pytest.fixture
async def redis_store(own_redis: RedisServer) -> AsyncIterator[RedisStore]:
    async with opened(own_redis.url()) as store:
        await store.admit(admission(1))
        yield store


@pytest.fixture
async def proxy(own_redis: RedisServer) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(own_redis.port) as proxy:
        yield proxy


@pytest.fixture
async def proxied_store(own_redis: RedisServer, proxy: FaultProxy) -> AsyncIterator[RedisStore]:
    async with opened(own_redis.url(port=proxy.port)) as store:
        await store.admit(admission(1))
        yield store


async def check_unavailable(*calls: Awaitable[object], but_not_before: float = 0.0) -> None:
    """See that each of several calls at once is refused in time."""
    began_at = time.monotonic()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    took_seconds = time.monotonic() - began_at

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * len(calls)
    assert but_not_before <= took_seconds < BOUND_SECONDS + SLACK_SECONDS


async def check_recovered(store: RedisStore) -> None:
    """See that reading and writing work again, at once."""
    assert await store.find_session(name("session", 1)) == session(1)
    await store.replace_grant(grant(version=2), 1)
    assert await store.find_grant(KEY) == grant(version=2)


def writes(store: RedisStore) -> list[Awaitable[object]]:
    """Begin a step of a sign-in, a claim and a proof of health."""
    return [
        store.add_attempt(attempt(), at_most=9, now=NOW),
        store.claim_grant(grant(), LEASE, NOW - 9),
        store.check(),
    ]


def calls(store: RedisStore) -> list[Awaitable[object]]:
    """Begin a read and writes."""
    return [store.find_grant(KEY), *writes(store)]


async def test_a_server_that_is_down_is_unavailable_and_comes_back(
    own_redis: RedisServer, redis_store: RedisStore
) -> None:
    own_redis.stop()

    await check_unavailable(*calls(redis_store))

    own_redis.start()
    await check_recovered(redis_store)


async def test_a_restart_in_between_is_not_noticed(
    own_redis: RedisServer, redis_store: RedisStore
) -> None:
    await asyncio.to_thread(own_redis.stop)
    await asyncio.to_thread(own_redis.start)

    await check_recovered(redis_store)


async def test_a_store_that_opens_before_its_server_opens_later(own_redis: RedisServer) -> None:
    own_redis.kill()
    store = RedisStore(own_redis.url())

    await check_unavailable(store.open())

    own_redis.start()
    async with opened(own_redis.url()) as store:
        assert await store.find_grant(KEY) is None


async def test_a_server_that_loads_its_file_is_unavailable(
    own_redis: RedisServer, redis_store: RedisStore
) -> None:
    own_redis.ask("DEBUG", "POPULATE", 2_000)
    own_redis.ask("BGREWRITEAOF")
    await until_true(lambda: not own_redis.ask("INFO", "persistence")["aof_rewrite_in_progress"])
    own_redis.stop()
    own_redis.settings |= {
        "key-load-delay": "1000",
        "loading-process-events-interval-bytes": "1024",
    }

    own_redis.start_loading()

    await check_unavailable(*calls(redis_store))
    await until_true(lambda: not own_redis.is_loading())
    await check_recovered(redis_store)


async def test_a_replica_is_not_written(own_redis: RedisServer, redis_store: RedisStore) -> None:
    own_redis.ask("REPLICAOF", "127.0.0.1", 1)

    with pytest.raises(StoreUnavailable, match="READONLY"):
        await redis_store.check()
    await check_unavailable(*writes(redis_store))

    own_redis.ask("REPLICAOF", "NO", "ONE")
    await check_recovered(redis_store)


async def test_a_connection_that_met_a_refusal_is_not_used_again(
    own_redis: RedisServer, proxy: FaultProxy, proxied_store: RedisStore
) -> None:
    own_redis.ask("REPLICAOF", "127.0.0.1", 1)  # the address may lead to another server by now

    with pytest.raises(StoreUnavailable, match="READONLY"):
        await proxied_store.check()

    await until_true(lambda: proxy.connection_count == 0)


async def test_a_server_whose_memory_is_full_keeps_all_or_nothing_of_a_sign_in(
    own_redis: RedisServer, redis_store: RedisStore
) -> None:
    own_redis.ask("CONFIG", "SET", "maxmemory", 1)

    with pytest.raises(StoreUnavailable, match="OOM"):
        await redis_store.admit(admission(2, version=2, expected_version=1))
    await check_unavailable(*writes(redis_store))

    own_redis.ask("CONFIG", "SET", "maxmemory", 0)
    assert await redis_store.find_session(name("session", 2)) is None
    await check_recovered(redis_store)


async def test_people_can_sign_out_while_memory_is_full(
    own_redis: RedisServer, redis_store: RedisStore
) -> None:
    own_redis.ask("CONFIG", "SET", "maxmemory", 1)

    ended = await redis_store.end_session(
        name("session", 1), now=NOW, idle_seconds=IDLE_SECONDS, keeps_grants=False
    )

    assert isinstance(ended, EndedSession)
    assert ended.revocation is not None
    queued = await redis_store.scan(RevocationRecord, after=b"", limit=9)
    assert queued == [ended.revocation]


async def test_a_server_that_cannot_save_is_unavailable(
    own_redis: RedisServer, redis_store: RedisStore
) -> None:
    own_redis.ask("CONFIG", "SET", "save", "3600 1")
    own_redis.folder.chmod(0o500)
    await finish_saving(own_redis)

    with pytest.raises(StoreUnavailable, match="MISCONF"):
        await redis_store.check()

    own_redis.folder.chmod(0o700)
    await finish_saving(own_redis)
    await check_recovered(redis_store)


async def finish_saving(server: RedisServer) -> None:
    server.ask("BGSAVE")
    await until_true(lambda: not server.ask("INFO", "persistence")["rdb_bgsave_in_progress"])


async def test_a_password_that_changes_and_changes_back_leaves_no_trace(
    own_redis: RedisServer, redis_store: RedisStore
) -> None:
    with own_redis.another_password():
        await check_unavailable(*calls(redis_store))

    await check_recovered(redis_store)


async def test_a_server_that_hangs_is_given_up_within_two_seconds(
    own_redis: RedisServer, redis_store: RedisStore
) -> None:
    with own_redis.frozen():
        await check_unavailable(*calls(redis_store), but_not_before=1.5)

    assert (await redis_store.find_session(name("session", 1))) == session(1)


async def test_more_callers_than_connections_are_all_given_up_in_time(
    own_redis: RedisServer,
) -> None:
    async with opened(own_redis.url(pool_size="2")) as store:
        with own_redis.frozen():
            await check_unavailable(*(store.find_grant(KEY) for _ in range(40)))

        assert await store.find_grant(KEY) is None


@pytest.mark.bound("calls that wait for Redis")
async def test_beyond_a_bound_callers_are_sent_away_at_once(own_redis: RedisServer) -> None:
    async with opened(own_redis.url(pool_size="1")) as store:
        with own_redis.frozen():
            waiting = [asyncio.create_task(store.find_grant(KEY)) for _ in range(1_001)]
            await asyncio.sleep(0)
            began_at = time.monotonic()

            with pytest.raises(StoreUnavailable, match="too many"):
                await store.find_grant(KEY)

            assert time.monotonic() - began_at < BOUND_SECONDS
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}


async def test_a_server_that_does_not_listen_is_unavailable(
    proxy: FaultProxy, proxied_store: RedisStore
) -> None:
    await proxy.refuses()

    await check_unavailable(*calls(proxied_store))

    await proxy.heals()
    await check_recovered(proxied_store)


async def test_a_network_that_hangs_is_given_up_within_two_seconds(
    proxy: FaultProxy, proxied_store: RedisStore
) -> None:
    await proxy.hangs()

    await check_unavailable(*calls(proxied_store), but_not_before=1.5)


async def test_a_network_that_is_too_slow_is_given_up_within_two_seconds(
    proxy: FaultProxy, proxied_store: RedisStore
) -> None:
    await proxy.slows(3.0)

    await check_unavailable(*calls(proxied_store), but_not_before=1.5)

    await proxy.heals()
    assert await proxied_store.find_session(name("session", 1)) == session(1)


async def test_a_lost_answer_is_an_outage_and_its_write_happened_at_most_once(
    proxy: FaultProxy, proxied_store: RedisStore
) -> None:
    assert await proxied_store.claim_grant(grant(version=7), LEASE, NOW) is None
    await proxy.drops_answers()

    await check_unavailable(proxied_store.claim_grant(grant(), LEASE, NOW), but_not_before=1.5)

    await proxy.heals()
    claimed = await proxied_store.find_grant(KEY)
    assert claimed is not None
    assert (claimed.lease_owner, claimed.presented_count) == (LEASE.owner, 1)


async def test_half_an_answer_is_an_outage(proxy: FaultProxy, proxied_store: RedisStore) -> None:
    await proxy.cuts(answer_bytes=5)

    await check_unavailable(*calls(proxied_store))

    await proxy.heals()
    assert await proxied_store.find_session(name("session", 1)) == session(1)


async def test_connections_that_were_reset_are_made_anew_before_they_are_used(
    proxy: FaultProxy, proxied_store: RedisStore
) -> None:
    await asyncio.gather(*(proxied_store.find_grant(KEY) for _ in range(8)))

    proxy.resets()
    await asyncio.sleep(0.05)

    await check_recovered(proxied_store)
