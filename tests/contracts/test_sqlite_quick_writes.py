"""Small writes happen on the event loop, step aside for others, and reach the disk soon."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from contracts.rows import name

from webex_oauth.stores.sqlite import SqliteStore

pytestmark = pytest.mark.anyio

GRACE_SECONDS = 10


def beats(database: Path) -> int:
    with sqlite3.connect(database) as connection:
        (count,) = connection.execute("SELECT beats FROM pulse").fetchone()
    connection.close()
    return int(count)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for the writer's thread, which tells nobody when it is done."""
    async with asyncio.timeout(GRACE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def test_a_quick_write_steps_aside_while_another_process_holds_the_lock(
    sqlite_store: SqliteStore, database: Path
) -> None:
    other = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    releasing = asyncio.get_running_loop().call_later(0.1, other.execute, "ROLLBACK")

    await sqlite_store.touch_session(name("session", 1), seen_at=1)

    assert not other.in_transaction
    releasing.cancel()
    other.close()


async def test_quick_writes_are_flushed_to_the_disk_soon(
    sqlite_store: SqliteStore, database: Path
) -> None:
    before = beats(database)

    for seen_at in range(20):
        await sqlite_store.touch_session(name("session", 1), seen_at=seen_at)

    await until(lambda: beats(database) > before)
    assert beats(database) == before + 1
