"""What rows in Redis survive, and what the disk has confirmed."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from contracts.places import opened
from contracts.samples import NOW, add, deleted, name, read_one, rewritten, row, store
from services.redis import RedisServer, running_redis, running_valkey
from waiting import until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.redis.calls import DISK_POOL_FACTOR
from webex_oauth.vault.rows import Kind, Row, Rows

pytestmark = pytest.mark.anyio


@pytest.fixture
def cautious_server() -> Iterator[RedisServer]:
    """Run a server that writes to its disk before it answers."""
    with running_redis(appendfsync="always") as server:
        yield server


@pytest.fixture
def confirming_server() -> Iterator[RedisServer]:
    """Run a server that writes to its disk every second, and can confirm when it has."""
    with running_valkey(appendfsync="everysec") as server:
        yield server


def signed_in(number: int) -> list[Row]:
    """Return what a sign-in writes together."""
    return [row(number, kind, at=NOW) for kind in (Kind.GRANT, Kind.SESSION, Kind.STATE)]


async def all_rows(rows: Rows) -> list[Row]:
    return [row for kind in Kind for row in await rows.by_name(kind, b"", 99)]


def count_of_confirmations(server: RedisServer) -> int:
    """Return how often the server was asked to confirm that something is on its disk."""
    asked = server.ask("INFO", "commandstats").get("cmdstat_waitaof", {"calls": 0})
    return int(asked["calls"])


async def test_a_server_that_is_killed_and_started_again_has_everything(
    cautious_server: RedisServer,
) -> None:
    stored = [row(1, kind, group=b"group", at=NOW, over_at=NOW) for kind in Kind]
    async with opened(cautious_server.url()) as rows:
        await store(rows, *stored)
        change = rewritten(stored[0], at=NOW + 1)
        assert await rows.apply([change], durably=True)

        cautious_server.kill()
        await asyncio.to_thread(cautious_server.start)

        assert await all_rows(rows) == [change.row, *stored[1:]]
        assert list(await rows.due(stored[1].kind, NOW, 9)) == [stored[1]]
        assert list(await rows.of_group(stored[0].kind, b"group", 9)) == [change.row]


async def test_a_sign_in_that_is_half_on_the_disk_did_not_happen(
    cautious_server: RedisServer,
) -> None:
    async with opened(cautious_server.url()) as rows:
        await store(rows, *signed_in(1))
        await store(rows, *signed_in(2))

        cautious_server.kill()
        (file,) = cautious_server.folder.glob("appendonlydir/*.incr.aof")
        os.truncate(file, file.stat().st_size - 20)
        await asyncio.to_thread(cautious_server.start)

        assert {row.name for row in await all_rows(rows)} == {name(1)}


async def test_scripts_that_the_server_forgets_are_sent_again(own_redis: RedisServer) -> None:
    async with opened(own_redis.url()) as rows:
        for number in range(50):
            own_redis.ask("SCRIPT", "FLUSH")
            grant, session = row(number), row(number, Kind.SESSION)
            outcomes = await asyncio.gather(
                rows.apply(add(grant), durably=False),
                rows.apply(add(session), durably=True),
                rows.by_name(Kind.KEY, b"", 9),
            )
            assert list(outcomes) == [True, True, []]

        assert len(await rows.by_name(Kind.GRANT, b"", 99)) == 50
        assert len(await rows.by_name(Kind.SESSION, b"", 99)) == 50


async def test_durable_changes_are_confirmed_by_the_disk_and_no_others(
    confirming_server: RedisServer,
) -> None:
    async with opened(confirming_server.url()) as rows:
        await store(rows, row(1), *signed_in(2))
        assert await rows.apply([rewritten(row(1))], durably=False)
        await rows.read(row(1))
        await rows.by_name(Kind.GRANT, b"", 9)
        assert count_of_confirmations(confirming_server) == 0

        assert await rows.apply(add(*signed_in(3)), durably=True)
        assert await rows.apply([rewritten(row(1, rev=2))], durably=True)
        assert await rows.apply([deleted(row(1, rev=3))], durably=True)

    assert count_of_confirmations(confirming_server) == 3


async def test_what_the_disk_confirmed_survives_a_kill(confirming_server: RedisServer) -> None:
    async with opened(confirming_server.url()) as rows:
        for number in range(5):
            assert await rows.apply(add(row(number)), durably=True)
        confirming_server.kill()
        await asyncio.to_thread(confirming_server.start)

        assert await all_rows(rows) == [row(number) for number in range(5)]


@pytest.mark.parametrize(
    ("fsync", "query"),
    [("always", {}), ("no", {"durability": "unchecked"})],
    ids=["it writes before it answers", "the operator accepts losses"],
)
async def test_a_server_need_not_confirm(
    confirming_server: RedisServer, fsync: str, query: dict[str, Any]
) -> None:
    confirming_server.ask("CONFIG", "SET", "appendfsync", fsync)

    async with opened(confirming_server.url(**query)) as rows:
        assert await rows.apply(add(row()), durably=True)

    assert count_of_confirmations(confirming_server) == 0


async def test_a_write_that_the_disk_does_not_confirm_is_an_outage(
    confirming_server: RedisServer,
) -> None:
    async with opened(confirming_server.url()) as rows:
        await store(rows, row())
        confirming_server.ask("CONFIG", "SET", "appendfsync", "no")

        with pytest.raises(StoreUnavailable, match="did not confirm"):
            await rows.apply([rewritten(row())], durably=True)


async def test_readers_do_not_wait_for_those_who_wait_for_the_disk(
    confirming_server: RedisServer,
) -> None:
    async with opened(confirming_server.url(pool_size="1")) as rows:
        confirming_server.ask("CONFIG", "SET", "appendfsync", "no")
        waiting = [
            asyncio.create_task(rows.apply(add(row(number)), durably=True))
            for number in range(DISK_POOL_FACTOR)
        ]

        async def is_written() -> bool:
            return bool((await read_one(rows, row(DISK_POOL_FACTOR - 1))).rev)

        await until_true(is_written)
        assert not any(task.done() for task in waiting)

        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
