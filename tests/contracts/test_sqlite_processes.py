"""What a SQLite file does between several processes."""

import asyncio
import time
from contextlib import closing
from pathlib import Path

import pytest
from contracts.children import Child, children
from contracts.samples import NOW, absent, add, read_one, rewritten, row, store
from waiting import LIMIT_SECONDS, SLACK_SECONDS

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.sqlite.connection import connect, use_log
from webex_oauth.stores.sqlite.files import has_table, prepare, prepare_files
from webex_oauth.stores.sqlite.rows import SqliteRows
from webex_oauth.stores.store import MAX_WAITING
from webex_oauth.vault.rows import Kind

pytestmark = pytest.mark.anyio

PROMISED_SECONDS = 2.0


@pytest.mark.check("H06")
@pytest.mark.parametrize("statement", ["CREATE TABLE", "CREATE INDEX", "PRAGMA user_v", "COMMIT"])
async def test_a_process_killed_while_it_creates_the_table_leaves_no_half_of_it(
    database: Path, statement: str
) -> None:
    killed = Child("die_in_creation", str(database), statement)
    assert killed.process.wait(LIMIT_SECONDS) == -9
    killed.end()

    rows = SqliteRows(database)
    await rows.open()
    stored = row(group=b"group", at=NOW, over_at=NOW)
    await store(rows, stored)
    assert list(await rows.due(Kind.GRANT, NOW, 9)) == [stored]
    await rows.close()


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_a_file_is_ours_while_another_process_creates_its_table(
    moment: int, database: Path
) -> None:
    prepare_files(database)
    statements: list[str] = []

    def create_table(statement: str) -> None:
        """Create the table right before the statement of this *moment*."""
        statements.append(statement)
        if len(statements) == moment:
            prepare(database)

    with closing(connect(database, patience_seconds=1.0)) as connection:
        use_log(connection, patience_seconds=1.0)  # from now on a reader hinders no writer
        connection.set_trace_callback(create_table)
        assert has_table(connection, database) in {True, False}


async def test_a_file_that_another_process_locks_does_not_open_in_time(database: Path) -> None:
    prepare_files(database)
    with children(("hold_lock", str(database))) as (holder,):
        started_at = time.monotonic()
        with pytest.raises(StoreUnavailable, match="locked by another process"):
            await SqliteRows(database).open()
        assert time.monotonic() - started_at < PROMISED_SECONDS + SLACK_SECONDS
        holder.go_on()
        assert holder.line() == "released"

    await SqliteRows(database).open()


async def test_a_write_beside_a_held_lock_fails_in_time_and_does_not_happen_later(
    sqlite_rows: SqliteRows, database: Path
) -> None:
    await store(sqlite_rows, row(1))
    with children(("hold_lock", str(database))) as (holder,):
        for durably in (False, True):
            started_at = time.monotonic()
            with pytest.raises(StoreUnavailable):
                await sqlite_rows.apply(add(row(2)), durably=durably)
            assert time.monotonic() - started_at < PROMISED_SECONDS + SLACK_SECONDS
        assert await read_one(sqlite_rows, row(1)) == row(1)
        holder.go_on()
        assert holder.line() == "released"

        assert await sqlite_rows.apply([rewritten(row(1))], durably=False)

    assert await read_one(sqlite_rows, row(2)) == absent(row(2))


@pytest.mark.bound("writes that wait for SQLite")
async def test_every_write_in_a_queue_beside_a_held_lock_fails_in_time(
    sqlite_rows: SqliteRows, database: Path
) -> None:
    with children(("hold_lock", str(database))):
        started_at = time.monotonic()
        outcomes = await asyncio.gather(
            *(sqlite_rows.check() for _ in range(MAX_WAITING + 200)), return_exceptions=True
        )

        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
        assert time.monotonic() - started_at < PROMISED_SECONDS + SLACK_SECONDS
