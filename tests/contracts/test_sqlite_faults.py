"""What SQLite's writer does when work fails, hangs or is cancelled, and for quick commits."""

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from contracts.samples import add, rewritten, row, store
from waiting import LIMIT_SECONDS, until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.sqlite.files import MAGIC, prepare, prepare_files, sync_log
from webex_oauth.stores.sqlite.rows import Inline, SqliteRows
from webex_oauth.stores.sqlite.writer import START_SECONDS, Writer
from webex_oauth.vault.rows import Kind

pytestmark = pytest.mark.anyio

W = TypeVar("W", bound=Writer)

PAGE_BYTES = 4096


@asynccontextmanager
async def started(writer: W) -> AsyncIterator[W]:
    writer.start()
    yield writer
    await writer.stop()


@pytest.fixture
async def writer(database: Path) -> AsyncIterator[Writer]:
    prepare(database)
    async with started(Writer(database, LIMIT_SECONDS)) as writer:
        await writer.write(make_notes)
        yield writer


@pytest.fixture
async def hasty_writer(database: Path, writer: Writer) -> AsyncIterator[Writer]:
    await writer.stop()
    async with started(Writer(database, 0.01)) as hasty_writer:
        yield hasty_writer


def make_notes(connection: sqlite3.Connection) -> bool:
    connection.execute("CREATE TABLE notes (text)")
    return True


def add_note(connection: sqlite3.Connection) -> bool:
    connection.execute("INSERT INTO notes VALUES ('written')")
    return True


def count_notes(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM notes").fetchone()
    return int(count)


def break_connection(connection: sqlite3.Connection) -> bool:
    connection.execute("SELECT * FROM nowhere")
    return True


def log_size(database: Path) -> int:
    return database.with_name(f"{database.name}-wal").stat().st_size


def make_destroyed(database: Path) -> None:
    prepare_files(database)
    database.write_bytes(MAGIC + bytes(4096))


def destroy_rows(database: Path) -> None:
    whole = database.read_bytes()
    database.write_bytes(whole[:PAGE_BYTES].ljust(len(whole), b"\0"))


class Hold:
    """Work that keeps the writer's thread busy until it may end."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self._begun = threading.Event()

    def __call__(self, connection: sqlite3.Connection) -> bool:
        self._begun.set()
        assert self.may_end.wait(LIMIT_SECONDS)
        return add_note(connection)

    async def begun(self) -> None:
        assert await asyncio.to_thread(self._begun.wait, LIMIT_SECONDS)


async def test_a_database_that_is_not_open_is_unavailable(database: Path) -> None:
    rows = SqliteRows(database)

    for use in (rows.check, lambda: rows.read(row()), lambda: store(rows, row())):
        with pytest.raises(StoreUnavailable, match="not open"):
            await use()


async def test_a_destroyed_file_is_unavailable(database: Path) -> None:
    make_destroyed(database)

    with pytest.raises(StoreUnavailable, match="SQLITE_NOTADB"):
        await SqliteRows(database).open()


@pytest.mark.parametrize("is_replaced", [False, True], ids=["removed", "replaced"])
async def test_a_file_that_is_not_at_its_path_is_neither_read_nor_written(
    sqlite_rows: SqliteRows, database: Path, tmp_path: Path, *, is_replaced: bool
) -> None:
    await store(sqlite_rows, row(1))
    await sqlite_rows.check()
    elsewhere = database.parent.rename(tmp_path / "elsewhere")
    if is_replaced:
        prepare(database)

    for use in (
        sqlite_rows.check,
        lambda: sqlite_rows.read(row(1)),
        lambda: store(sqlite_rows, row(2)),
        lambda: sqlite_rows.apply(add(row(2)), durably=True),
        lambda: sqlite_rows.by_name(Kind.GRANT, b"", 9),
    ):
        with pytest.raises(StoreUnavailable, match="removed or replaced"):
            await use()

    shutil.rmtree(database.parent, ignore_errors=True)
    elsewhere.rename(database.parent)
    assert await sqlite_rows.by_name(Kind.GRANT, b"", 9) == [row(1)]


async def test_a_file_of_which_the_first_page_alone_is_whole_is_unavailable(database: Path) -> None:
    prepare(database)
    destroy_rows(database)
    rows = SqliteRows(database)
    await rows.open()

    with pytest.raises(StoreUnavailable, match="SQLITE_CORRUPT"):
        await rows.check()
    await rows.close()


async def test_work_that_fails_or_declines_is_undone(writer: Writer) -> None:
    def add_and_fail(connection: sqlite3.Connection) -> bool:
        add_note(connection)
        raise LookupError("half way")

    with pytest.raises(LookupError, match="half way"):
        await writer.write(add_and_fail)
    assert not await writer.write(lambda connection: not add_note(connection))

    assert await writer.run(count_notes) == 0


async def test_work_once_begun_ends_although_its_caller_is_cancelled(writer: Writer) -> None:
    hold = Hold()
    caller = asyncio.create_task(writer.write(hold))
    await hold.begun()
    caller.cancel()
    await asyncio.wait([caller])
    hold.may_end.set()

    assert await writer.run(count_notes) == 1


async def test_work_whose_caller_is_cancelled_before_never_begins(writer: Writer) -> None:
    hold = Hold()
    first = asyncio.create_task(writer.write(hold))
    await hold.begun()
    second = asyncio.create_task(writer.write(add_note))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    hold.may_end.set()
    await first

    assert await writer.run(count_notes) == 1


async def test_work_that_waited_too_long_never_begins(writer: Writer) -> None:
    hold = Hold()
    first = asyncio.create_task(writer.write(hold))
    await hold.begun()
    asyncio.get_running_loop().call_later(START_SECONDS + 0.1, hold.may_end.set)

    with pytest.raises(StoreUnavailable, match="took too long"):
        await writer.write(add_note)

    await first
    assert await writer.run(count_notes) == 1


async def test_a_thread_that_hangs_is_unavailable_in_time(writer: Writer) -> None:
    hold = Hold()

    with pytest.raises(StoreUnavailable, match="in time"):
        await writer.write(hold)

    hold.may_end.set()
    assert await writer.run(count_notes) == 1


async def test_what_a_transaction_has_read_holds_until_it_writes(
    writer: Writer, database: Path
) -> None:
    begun, is_other_done = threading.Event(), threading.Event()

    def read_then_write(connection: sqlite3.Connection) -> bool:
        before = count_notes(connection)
        begun.set()
        is_other_done.wait(0.3)
        add_note(connection)
        return count_notes(connection) == before + 1

    async with started(Writer(database)) as other:
        first = asyncio.create_task(writer.write(read_then_write))
        assert await asyncio.to_thread(begun.wait, LIMIT_SECONDS)
        await other.write(add_note)
        is_other_done.set()
        assert await first

    assert await writer.run(count_notes) == 2


async def test_a_connection_that_broke_is_replaced(writer: Writer, database: Path) -> None:
    inline = Inline(database, writer)
    for write in (writer.write, inline.write):
        with pytest.raises(StoreUnavailable, match="SQLITE_ERROR"):
            await write(break_connection)
        assert await write(add_note)

    assert await inline.read(count_notes) == 2
    inline.close()


async def test_an_idle_writer_empties_the_log(hasty_writer: Writer, database: Path) -> None:
    await hasty_writer.write(add_note)

    await until_true(lambda: log_size(database) == 0)
    assert await hasty_writer.run(count_notes) == 1


async def test_an_idle_writer_needs_no_connection(hasty_writer: Writer) -> None:
    with pytest.raises(StoreUnavailable):
        await hasty_writer.run(break_connection)

    await until_true(lambda: hasty_writer._unfolded == 0)
    assert await hasty_writer.write(add_note)


@pytest.mark.parametrize("is_quick", [True, False])
async def test_many_writes_do_not_grow_the_log_without_end(
    writer: Writer, database: Path, *, is_quick: bool
) -> None:
    inline = Inline(database, writer)
    write = inline.write if is_quick else writer.write
    for number in range(3_000):
        await write(add_note)
        if number % 500 == 0:
            await asyncio.sleep(0)

    await writer.run(count_notes)
    assert log_size(database) < 16 * 1024 * 1024
    inline.close()


async def test_a_read_beside_a_lock_waits_in_the_writers_thread(
    writer: Writer, tmp_path: Path
) -> None:
    locked = tmp_path / "locked.sqlite"
    holder = sqlite3.connect(locked, isolation_level=None)
    make_notes(holder)
    holder.execute("BEGIN EXCLUSIVE")
    await writer.write(add_note)

    count = await Inline(locked, writer).read(count_notes)

    holder.close()
    assert count == 1


async def test_a_quick_write_steps_aside_while_another_process_holds_the_lock(
    sqlite_rows: SqliteRows, database: Path
) -> None:
    other = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    releasing = asyncio.get_running_loop().call_later(0.1, other.execute, "ROLLBACK")

    assert await sqlite_rows.apply(add(row()), durably=False)

    assert not other.in_transaction
    releasing.cancel()
    other.close()


async def test_a_quick_write_steps_aside_while_the_writers_thread_writes(
    writer: Writer, database: Path
) -> None:
    inline, hold = Inline(database, writer), Hold()
    first = asyncio.create_task(writer.write(hold))
    await hold.begun()
    second = asyncio.create_task(inline.write(add_note))
    await asyncio.sleep(0.05)
    assert not second.done()
    hold.may_end.set()

    assert await first
    assert await second
    assert await inline.read(count_notes) == 2
    inline.close()


class WatchedWriter(Writer):
    """A writer that remembers what it was asked to flush."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.flushed: list[int] = []

    def flush(self, commit_count: int) -> None:
        self.flushed.append(commit_count)
        super().flush(commit_count)


async def test_quick_writes_are_flushed_to_the_disk_together_and_soon(
    writer: Writer, database: Path
) -> None:
    async with started(WatchedWriter(database)) as watched:
        inline = Inline(database, watched)
        for _ in range(20):
            await inline.write(add_note)

        assert watched.flushed == []
        await until_true(lambda: bool(watched.flushed))
        assert watched.flushed == [20]
        inline.close()
    assert await writer.run(count_notes) == 20


async def test_a_log_that_cannot_be_synced_makes_the_next_write_durable(
    sqlite_rows: SqliteRows, database: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert await sqlite_rows.apply(add(row()), durably=True)  # by the writer's own connection
    log = database.with_name(f"{database.name}-wal")
    log.rename(tmp_path / "log")  # who has it open does not notice
    sqlite_rows._writer.flush(1)
    await until_true(lambda: sqlite_rows._writer.is_behind)
    (tmp_path / "log").rename(log)

    assert await sqlite_rows.apply([rewritten(row())], durably=False)

    assert not sqlite_rows._writer.is_behind
    assert "the disk did not take the database's log" in caplog.text


async def test_the_log_is_synced_where_it_lies(sqlite_rows: SqliteRows, database: Path) -> None:
    await store(sqlite_rows, row())

    sync_log(database)

    with pytest.raises(FileNotFoundError):
        sync_log(database.with_name("nothing"))
