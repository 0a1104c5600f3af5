"""Small writes happen on the event loop, step aside for others, and reach the disk soon."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from contracts.rows import name
from waiting import until_true

from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.stores.sqlite.files import prepare_files, sync_log
from webex_oauth.stores.sqlite.quick_writer import QuickWriter
from webex_oauth.stores.sqlite.writer import Writer

pytestmark = pytest.mark.anyio


class WatchedWriter(Writer):
    """A writer that tells what it was asked to flush."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.flushed: list[int] = []

    def flush(self, commit_count: int) -> None:
        self.flushed.append(commit_count)
        super().flush(commit_count)


def note(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO notes VALUES ('a quick one')")


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


async def test_quick_writes_are_flushed_to_the_disk_together_and_soon(database: Path) -> None:
    prepare_files(database)
    writer = WatchedWriter(database)
    writer.start()
    await writer.write(lambda connection: connection.execute("CREATE TABLE notes (text)"))
    quick_writer = QuickWriter(database, writer)

    for _ in range(20):
        await quick_writer.write(note)

    assert writer.flushed == []
    await until_true(lambda: bool(writer.flushed))
    assert writer.flushed == [20]
    quick_writer.close()
    await writer.stop()


async def test_the_log_is_synced_where_it_lies(sqlite_store: SqliteStore, database: Path) -> None:
    await sqlite_store.touch_session(name("session", 1), seen_at=1)

    sync_log(database)

    with pytest.raises(FileNotFoundError):
        sync_log(database.with_name("nothing"))
