"""What rows in Redis do while their server is not well, and that they recover by themselves."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import pytest
import redis
from contracts.places import opened
from contracts.samples import NOW, absent, add, deleted, read_one, rewritten, row, store
from services.fault_proxy import FaultProxy, fault_proxy
from services.redis import RedisServer
from waiting import SLACK_SECONDS, until, until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.redis.rows import RedisRows
from webex_oauth.vault.rows import Kind, Rows

pytestmark = [pytest.mark.anyio, pytest.mark.check("H03")]

GRANT = row(1)
SESSION = row(1, Kind.SESSION, group=b"group", at=NOW, over_at=NOW)
BOUND_SECONDS = 2.0


@pytest.fixture
async def redis_rows(own_redis: RedisServer) -> AsyncIterator[Rows]:
    async with opened(own_redis.url()) as rows:
        await store(rows, GRANT, SESSION)
        yield rows


@pytest.fixture
async def proxy(own_redis: RedisServer) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(own_redis.port) as proxy:
        yield proxy


@pytest.fixture
async def proxied_rows(own_redis: RedisServer, proxy: FaultProxy) -> AsyncIterator[Rows]:
    async with opened(own_redis.url(port=proxy.port)) as rows:
        await store(rows, GRANT, SESSION)
        yield rows


async def check_unavailable(*calls: Awaitable[object], but_not_before: float = 0.0) -> None:
    """Check that each of several calls at once is refused in time."""
    began_at = time.monotonic()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    took_seconds = time.monotonic() - began_at

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * len(calls)
    assert but_not_before <= took_seconds < BOUND_SECONDS + SLACK_SECONDS


async def check_recovered(rows: Rows) -> None:
    """Check that reading and writing work again, at once."""
    assert await read_one(rows, SESSION) == SESSION
    change = rewritten(GRANT)
    assert await rows.apply([change], durably=True)
    assert await read_one(rows, GRANT) == change.row


def writes(rows: Rows) -> list[Awaitable[object]]:
    """Begin an addition, a rewrite and a proof of health."""
    return [
        rows.apply(add(row(9, Kind.STATE)), durably=False),
        rows.apply([rewritten(GRANT)], durably=True),
        rows.check(),
    ]


def calls(rows: Rows) -> list[Awaitable[object]]:
    """Begin reads and writes."""
    return [rows.read(GRANT), rows.due(Kind.SESSION, NOW, 9), *writes(rows)]


@contextmanager
def down(server: RedisServer) -> Iterator[None]:
    server.stop()
    yield
    server.start()


@contextmanager
def loading(server: RedisServer) -> Iterator[None]:
    """Restart it with a file that takes a second to read."""
    server.ask("DEBUG", "POPULATE", 2_000)
    server.ask("BGREWRITEAOF")
    until(lambda: not server.ask("INFO", "persistence")["aof_rewrite_in_progress"])
    server.stop()
    server.settings |= {"key-load-delay": "1000", "loading-process-events-interval-bytes": "1024"}
    server.start_loading()
    yield
    until(lambda: not server.is_loading())


@contextmanager
def busy(server: RedisServer) -> Iterator[None]:
    """Keep it in a script without an end."""
    server.ask("CONFIG", "SET", "busy-reply-threshold", 50)
    with ThreadPoolExecutor() as threads:
        script = threads.submit(server.ask, "EVAL", "while true do end", 0)
        time.sleep(0.2)
        yield
        server.ask("SCRIPT", "KILL")
    assert isinstance(script.exception(), redis.ResponseError)


@contextmanager
def unable_to_save(server: RedisServer) -> Iterator[None]:
    server.ask("CONFIG", "SET", "save", "3600 1")
    for mode in (0o500, 0o700):
        server.folder.chmod(mode)
        server.ask("BGSAVE")
        until(lambda: not server.ask("INFO", "persistence")["rdb_bgsave_in_progress"])
        if mode == 0o500:
            yield


TROUBLES: list[tuple[Callable[[RedisServer], AbstractContextManager[None]], str]] = [
    (down, "cannot be reached"),
    (loading, "the database"),
    (busy, "BUSY"),
    (unable_to_save, "MISCONF"),
    (RedisServer.another_password, "the database"),
]


@pytest.mark.parametrize(("trouble", "reason"), TROUBLES)
async def test_a_server_in_trouble_is_unavailable_and_comes_back(
    own_redis: RedisServer,
    redis_rows: Rows,
    trouble: Callable[[RedisServer], AbstractContextManager[None]],
    reason: str,
) -> None:
    with trouble(own_redis):
        with pytest.raises(StoreUnavailable, match=reason):
            await redis_rows.check()
        await check_unavailable(*(writes if trouble is unable_to_save else calls)(redis_rows))

    await check_recovered(redis_rows)


async def test_a_restart_in_between_is_not_noticed(
    own_redis: RedisServer, redis_rows: Rows
) -> None:
    await asyncio.to_thread(own_redis.stop)
    await asyncio.to_thread(own_redis.start)

    await check_recovered(redis_rows)


async def test_rows_can_be_opened_after_an_attempt_before_their_server_was_up(
    own_redis: RedisServer,
) -> None:
    own_redis.kill()
    rows = RedisRows(own_redis.url())

    await check_unavailable(rows.open())

    own_redis.start()
    await rows.open()
    assert await read_one(rows, GRANT) == absent(GRANT)
    await rows.close()


async def test_a_replica_is_read_and_not_written(own_redis: RedisServer, redis_rows: Rows) -> None:
    own_redis.ask("ZADD", "{webex-oauth}:session-at", 0, "a row that is gone")
    own_redis.ask("REPLICAOF", "127.0.0.1", 1)

    with pytest.raises(StoreUnavailable, match="READONLY"):
        await redis_rows.check()
    await check_unavailable(*writes(redis_rows))
    assert await read_one(redis_rows, SESSION) == SESSION
    assert list(await redis_rows.due(Kind.SESSION, NOW, 9)) == [SESSION]

    own_redis.ask("REPLICAOF", "NO", "ONE")
    await check_recovered(redis_rows)


async def test_a_connection_that_met_a_refusal_is_not_used_again(
    own_redis: RedisServer, proxy: FaultProxy, proxied_rows: Rows
) -> None:
    own_redis.ask("REPLICAOF", "127.0.0.1", 1)  # the address may lead to another server by now

    with pytest.raises(StoreUnavailable, match="READONLY"):
        await proxied_rows.check()

    await until_true(lambda: proxy.connection_count == 0)


async def test_a_server_whose_memory_is_full_applies_all_changes_or_none(
    own_redis: RedisServer, redis_rows: Rows
) -> None:
    own_redis.ask("CONFIG", "SET", "maxmemory", 1)
    added = [row(2), row(2, Kind.SESSION, group=b"group", at=NOW)]

    with pytest.raises(StoreUnavailable, match="OOM"):
        await redis_rows.apply([*add(*added), rewritten(GRANT)], durably=False)
    await check_unavailable(*writes(redis_rows))

    own_redis.ask("CONFIG", "SET", "maxmemory", 0)
    assert list(await redis_rows.read(*added)) == [*map(absent, added)]
    assert list(await redis_rows.of_group(Kind.SESSION, b"group", 9)) == [SESSION]
    await check_recovered(redis_rows)


async def test_people_can_sign_out_while_memory_is_full(
    own_redis: RedisServer, redis_rows: Rows
) -> None:
    own_redis.ask("CONFIG", "SET", "maxmemory", 1)
    queued = row(1, Kind.REVOCATION, at=NOW)

    assert await redis_rows.apply([*add(queued), deleted(SESSION), deleted(GRANT)], durably=True)

    found = await redis_rows.read(queued, SESSION, GRANT)
    assert list(found) == [queued, absent(SESSION), absent(GRANT)]
    assert list(await redis_rows.due(Kind.REVOCATION, NOW, 9)) == [queued]


async def test_a_server_that_hangs_is_given_up_within_two_seconds(
    own_redis: RedisServer, redis_rows: Rows
) -> None:
    with own_redis.frozen():
        await check_unavailable(*calls(redis_rows), but_not_before=1.5)

    assert await read_one(redis_rows, SESSION) == SESSION


async def test_more_callers_than_connections_are_all_given_up_in_time(
    own_redis: RedisServer,
) -> None:
    async with opened(own_redis.url(pool_size="2")) as rows:
        with own_redis.frozen():
            await check_unavailable(*(rows.read(GRANT) for _ in range(40)))

        assert await read_one(rows, GRANT) == absent(GRANT)


@pytest.mark.bound("calls that wait for Redis")
async def test_beyond_a_bound_callers_are_refused_at_once(own_redis: RedisServer) -> None:
    async with opened(own_redis.url(pool_size="1")) as rows:
        with own_redis.frozen():
            waiting = [asyncio.create_task(rows.read(GRANT)) for _ in range(1_001)]
            await asyncio.sleep(0)
            began_at = time.monotonic()

            with pytest.raises(StoreUnavailable, match="too many"):
                await rows.read(GRANT)

            assert time.monotonic() - began_at < BOUND_SECONDS
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
