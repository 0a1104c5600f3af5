"""What a SQLite store says when its file fails it."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contracts.children import Child
from contracts.rows import admission, name, session
from waiting import LIMIT_SECONDS, until_true

from webex_oauth.errors import ConfigurationError, StoreUnavailable
from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.stores.sqlite.connection import check_sqlite_version
from webex_oauth.stores.sqlite.files import MAGIC, prepare_files
from webex_oauth.stores.sqlite.reader import Reader
from webex_oauth.stores.sqlite.writer import START_SECONDS, Writer

pytestmark = pytest.mark.anyio


async def start_writer(database: Path, idle_seconds: float) -> Writer:
    prepare_files(database)
    writer = Writer(database, idle_seconds)
    writer.start()
    await writer.write(lambda connection: connection.execute("CREATE TABLE notes (text)"))
    return writer


@pytest.fixture
async def writer(database: Path) -> AsyncIterator[Writer]:
    writer = await start_writer(database, LIMIT_SECONDS)
    yield writer
    await writer.stop()


@pytest.fixture
async def hasty_writer(database: Path) -> AsyncIterator[Writer]:
    writer = await start_writer(database, 0.01)
    yield writer
    await writer.stop()


@pytest.fixture
def destroyed(database: Path) -> Path:
    prepare_files(database)
    database.write_bytes(MAGIC + bytes(4096))
    return database


def break_connection(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT * FROM nowhere")


def size(path: Path) -> int:
    return path.stat().st_size


def add_note(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO notes VALUES ('written')")


def count_notes(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM notes").fetchone()
    return int(count)


async def test_a_store_that_is_not_open_is_unavailable(database: Path) -> None:
    with pytest.raises(StoreUnavailable, match="not open"):
        await SqliteStore(database).check()


async def test_a_missing_file_is_unavailable_to_read(database: Path) -> None:
    with pytest.raises(StoreUnavailable, match="SQLITE_CANTOPEN"):
        await SqliteStore(database).find_grant(name("grant", 1))


async def test_a_store_that_was_not_opened_is_unavailable_to_write(database: Path) -> None:
    with pytest.raises(StoreUnavailable, match="not open"):
        await SqliteStore(database).admit(admission())


async def test_a_store_closes_twice(sqlite_store: SqliteStore) -> None:
    await sqlite_store.close()

    await sqlite_store.close()


async def test_a_closed_store_opens_again(sqlite_store: SqliteStore) -> None:
    await sqlite_store.admit(admission())
    await sqlite_store.close()

    await sqlite_store.open()

    assert await sqlite_store.find_session(name("session", 1)) == session()


async def test_a_destroyed_file_is_unavailable(destroyed: Path) -> None:
    with pytest.raises(StoreUnavailable, match="SQLITE_NOTADB"):
        await SqliteStore(destroyed).open()


async def test_a_full_disk_is_unavailable_and_loses_nothing_once_there_is_room(
    database: Path,
) -> None:
    child = Child("fill_disk", str(database))
    answer = child.line()
    child.end()

    assert answer == "StoreUnavailable admitted admitted"


async def test_a_read_beside_a_lock_waits_in_the_writers_thread(
    writer: Writer, tmp_path: Path
) -> None:
    locked = tmp_path / "locked.sqlite"
    holder = sqlite3.connect(locked, isolation_level=None)
    holder.execute("CREATE TABLE notes (text)")
    holder.execute("BEGIN EXCLUSIVE")
    await writer.write(add_note)

    count = await Reader(locked, writer).read(count_notes)

    holder.close()
    assert count == 1


async def test_work_that_fails_is_undone(writer: Writer) -> None:
    def add_and_fail(connection: sqlite3.Connection) -> None:
        add_note(connection)
        raise LookupError("half way")

    with pytest.raises(LookupError, match="half way"):
        await writer.write(add_and_fail)

    assert await writer.run(count_notes) == 0


async def test_work_once_begun_ends_although_its_caller_is_cancelled(writer: Writer) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def add_slowly(connection: sqlite3.Connection) -> None:
        begun.set()
        assert may_end.wait(LIMIT_SECONDS)
        add_note(connection)

    caller = asyncio.create_task(writer.write(add_slowly))
    assert await asyncio.to_thread(begun.wait, LIMIT_SECONDS)
    caller.cancel()
    await asyncio.wait([caller])
    may_end.set()

    assert await writer.run(count_notes) == 1


async def test_work_whose_caller_is_cancelled_before_never_begins(writer: Writer) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        begun.set()
        assert may_end.wait(LIMIT_SECONDS)

    first = asyncio.create_task(writer.write(hold))
    assert await asyncio.to_thread(begun.wait, LIMIT_SECONDS)
    second = asyncio.create_task(writer.write(add_note))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    may_end.set()
    await first

    assert await writer.run(count_notes) == 0


async def test_work_that_waited_too_long_never_begins(writer: Writer) -> None:
    begun, never = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        begun.set()
        assert not never.wait(START_SECONDS + 0.1)

    first = asyncio.create_task(writer.write(hold))
    assert await asyncio.to_thread(begun.wait, LIMIT_SECONDS)

    with pytest.raises(StoreUnavailable, match="took too long"):
        await writer.write(add_note)

    await first
    assert await writer.run(count_notes) == 0


async def test_what_a_transaction_has_read_holds_until_it_writes(
    writer: Writer, database: Path
) -> None:
    begun, is_other_done = threading.Event(), threading.Event()
    other = Writer(database)
    other.start()

    def read_then_write(connection: sqlite3.Connection) -> bool:
        before = count_notes(connection)
        begun.set()
        is_other_done.wait(0.3)
        add_note(connection)
        return count_notes(connection) == before + 1

    first = asyncio.create_task(writer.write(read_then_write))
    assert await asyncio.to_thread(begun.wait, LIMIT_SECONDS)
    await other.write(add_note)
    is_other_done.set()

    assert await first
    assert await writer.run(count_notes) == 2
    await other.stop()


async def test_a_thread_that_hangs_is_unavailable_in_time(writer: Writer) -> None:
    may_end = threading.Event()

    def hang(_: sqlite3.Connection) -> None:
        assert may_end.wait(LIMIT_SECONDS)

    with pytest.raises(StoreUnavailable, match="in time"):
        await writer.write(hang)

    may_end.set()
    assert await writer.run(count_notes) == 0


async def test_a_connection_that_broke_is_made_anew(writer: Writer) -> None:
    with pytest.raises(StoreUnavailable, match="SQLITE_ERROR"):
        await writer.write(break_connection)

    await writer.write(add_note)
    assert await writer.run(count_notes) == 1


async def test_an_idle_writer_empties_the_log(hasty_writer: Writer, database: Path) -> None:
    log = database.with_name(database.name + "-wal")

    await hasty_writer.write(add_note)

    await until_true(lambda: size(log) == 0)
    assert await hasty_writer.run(count_notes) == 1


async def test_a_writer_without_a_connection_idles_in_peace(hasty_writer: Writer) -> None:
    with pytest.raises(StoreUnavailable):
        await hasty_writer.run(break_connection)

    await until_true(lambda: hasty_writer._unfolded == 0)
    await hasty_writer.write(add_note)
    assert await hasty_writer.run(count_notes) == 1


def test_an_old_library_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"SQLite 3\.36\.0 is too old"):
        check_sqlite_version((3, 36, 0))


async def test_many_writes_do_not_grow_the_log_without_end(writer: Writer, database: Path) -> None:
    for _ in range(3_000):
        await writer.write(add_note)

    log = database.with_name(database.name + "-wal")
    assert size(log) < 8 * 1024 * 1024
