"""How a SQLite file of an earlier version is brought up to date."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from contracts.children import Child, children
from contracts.rows import NOW, attempt, grant, name, session
from contracts.tracing import injecting, needs_strace
from contracts.version_1 import ADD_GRANT, DAY, ROWS, make_version_1
from waiting import LIMIT_SECONDS

from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.stores.sqlite.migrations import KEEP_BEFORE_END_SECONDS
from webex_oauth.vault.records import FinishedAttempt, GrantRecord, SessionRecord

pytestmark = pytest.mark.anyio

TABLES = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
KILL_POINTS = [1, 2, 3, 8, 21, 55]


@pytest.fixture
def old_database(database: Path) -> Path:
    make_version_1(database)
    return database


def ask(database: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(question).fetchall()


def migrated(number: int) -> GrantRecord:
    """Give what the old grant of that number is now."""
    ends_at = NOW + 90 * DAY + number
    record = grant(number, ends_at=ends_at, keep_at=ends_at - KEEP_BEFORE_END_SECONDS)
    return replace(record, access_expires_at=NOW + number)


async def check_all_rows(database: Path) -> None:
    """See that every row of the old file is in the opened one, with what is new."""
    store = SqliteStore(database)
    await store.open()
    grants = await store.scan(GrantRecord, after=b"", limit=ROWS + 1)
    sessions = await store.scan(SessionRecord, after=b"", limit=ROWS + 1)
    taken = await store.take_attempt(name("state", ROWS), name("browser", 1), NOW)
    await store.close()

    numbers = range(1, ROWS + 1)
    assert {one.key: one for one in grants} == {name("grant", n): migrated(n) for n in numbers}
    assert {one.digest: one for one in sessions} == {
        name("session", n): session(n, of=n) for n in numbers
    }
    assert taken == FinishedAttempt(attempt(ROWS), name("session", ROWS))
    assert ask(database, "SELECT attempts FROM tally") == [(ROWS,)]
    assert ask(database, "PRAGMA integrity_check") == [("ok",)]


async def test_every_row_of_an_older_file_survives(old_database: Path) -> None:
    await check_all_rows(old_database)


async def test_an_older_file_gets_the_tables_of_a_new_one(
    old_database: Path, tmp_path: Path
) -> None:
    new_database = tmp_path / "new" / "webex.sqlite"
    for database in (old_database, new_database):
        store = SqliteStore(database)
        await store.open()
        await store.close()

    assert ask(old_database, TABLES) == ask(new_database, TABLES)
    assert ask(old_database, "PRAGMA user_version") == ask(new_database, "PRAGMA user_version")


async def test_old_grants_are_kept_when_there_is_something_to_renew(database: Path) -> None:
    make_version_1(database, rows=0)
    ends = [(5, None), (5, 5), (None, None), (5, 6), (5, 5 + KEEP_BEFORE_END_SECONDS + 7)]
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for number, times in enumerate(ends):
            connection.execute(ADD_GRANT, (name("grant", number), 1, b"sealed", *times))

    store = SqliteStore(database)
    await store.open()
    found = [await store.find_grant(name("grant", number)) for number in range(len(ends))]
    await store.close()

    assert [one.keep_at for one in found if one is not None] == [5, None, None, 5, 12]


async def test_a_process_of_the_version_before_may_work_on(old_database: Path) -> None:
    with closing(sqlite3.connect(old_database, isolation_level=None)) as old_process:
        store = SqliteStore(old_database)
        await store.open()

        old_process.execute(ADD_GRANT, (name("grant", 999), 1, grant(999).sealed, None, None))

        assert await store.find_grant(name("grant", 999)) == grant(999)
        await store.close()


@pytest.mark.check("H06")
async def test_processes_that_start_together_bring_an_older_file_up_to_date_once(
    old_database: Path,
) -> None:
    with children(*[("open_place", f"sqlite:///{old_database}")] * 4) as starters:
        for starter in starters:
            starter.go_on()
        answers = [starter.line() for starter in starters]

    assert answers == ["open"] * 4
    await check_all_rows(old_database)


@pytest.mark.check("H06")
async def test_a_start_waits_while_another_process_brings_the_file_up_to_date(
    old_database: Path,
) -> None:
    with children(
        ("hold_lock", str(old_database)), ("open_place", f"sqlite:///{old_database}")
    ) as both:
        holder, starter = both
        starter.go_on()
        with pytest.raises(subprocess.TimeoutExpired):
            starter.process.wait(timeout=1.5)
        holder.go_on()

        assert starter.line() == "open"


@pytest.mark.check("H06")
@pytest.mark.parametrize(
    "statement", ["ALTER TABLE", "UPDATE grants", "CREATE TABLE revocations", "DROP", "COMMIT"]
)
async def test_a_process_killed_in_the_middle_leaves_the_older_file_whole(
    old_database: Path, statement: str
) -> None:
    killed = Child("die_in_migration", str(old_database), statement)
    assert killed.process.wait(LIMIT_SECONDS) == -9
    killed.end()

    assert ask(old_database, "PRAGMA user_version") == [(1,)]
    assert ask(old_database, "PRAGMA integrity_check") == [("ok",)]
    await check_all_rows(old_database)


@needs_strace()
@pytest.mark.check("H06")
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
async def test_a_process_killed_at_any_write_to_the_disk_loses_no_row(
    old_database: Path, tmp_path: Path, call: str
) -> None:
    kill_count = 0
    for kill_point in KILL_POINTS:
        copy = tmp_path / f"{kill_point}" / "webex.sqlite"
        shutil.copytree(old_database.parent, copy.parent)
        under = injecting(call, f"signal=SIGKILL:when={kill_point}")
        child = Child("open_place", f"sqlite:///{copy}", under=under)
        assert child.line() == "ready"
        child.go_on()
        if child.rest() == ["open"]:
            break
        kill_count += 1
        assert ask(copy, "PRAGMA user_version") in ([(1,)], [(2,)])
        await check_all_rows(copy)

    assert kill_count >= 1
