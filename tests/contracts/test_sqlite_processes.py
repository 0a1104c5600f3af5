"""What a SQLite file does between several processes."""

import asyncio
import time
from contextlib import closing
from pathlib import Path

import pytest
from contracts.children import Child, children
from contracts.rows import NOW, admission, attempt, grant, name, session
from waiting import SLACK_SECONDS

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.stores.sqlite.connection import connect_reader, connect_writer
from webex_oauth.stores.sqlite.files import prepare_files
from webex_oauth.stores.sqlite.schema import SCHEMA_VERSION, _version, prepare_schema
from webex_oauth.stores.sqlite.writer import MAX_WAITING
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

PROMISED_SECONDS = 2.0


@pytest.mark.check("A03")
async def test_two_processes_give_an_attempt_to_one_of_a_hundred_callers(
    sqlite_store: Store, database: Path
) -> None:
    await sqlite_store.add_attempt(attempt(), at_most=9, now=NOW)
    state, browser = name("state", 1).hex(), name("browser", 1).hex()
    command = ("take_attempt", str(database), state, browser, str(NOW))

    with children(command, command) as racers:
        for racer in racers:
            racer.go_on()
        answers = [racer.line().split() for racer in racers]

    assert sorted(answers) == [
        ["0", "AttemptInProgress"],
        ["1", "AttemptInProgress", "AttemptRecord"],
    ]


@pytest.mark.parametrize("start", range(8))
def test_processes_that_start_together_all_open_a_new_file(start: int, tmp_path: Path) -> None:
    database = tmp_path / f"start-{start}" / "webex.sqlite"
    with children(*[("open_place", f"sqlite:///{database}")] * 4) as starters:
        for starter in starters:
            starter.go_on()
        answers = [starter.line() for starter in starters]

    assert answers == ["open"] * 4


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_a_file_is_ours_while_another_process_makes_its_tables(moment: int, tmp_path: Path) -> None:
    database = tmp_path / "webex.sqlite"
    prepare_files(database)
    connect_writer(database).close()  # from now on a reader hinders no writer
    statements: list[str] = []

    def make_tables(statement: str) -> None:
        """Make the tables right before the statement of this *moment*."""
        statements.append(statement)
        if len(statements) == moment:
            prepare_schema(database)

    with closing(connect_reader(database)) as connection:
        connection.set_trace_callback(make_tables)
        assert _version(connection, database) in {0, SCHEMA_VERSION}


async def test_what_one_process_ends_is_gone_for_another(
    sqlite_store: Store, database: Path
) -> None:
    await sqlite_store.admit(admission())
    other = SqliteStore(database)
    await other.open()
    assert await other.find_session(name("session", 1)) == session()

    await sqlite_store.end_grant(name("grant", 1), now=NOW)

    assert await other.find_session(name("session", 1)) is None
    await other.close()


async def test_a_write_beside_a_held_lock_fails_in_time(
    sqlite_store: Store, database: Path
) -> None:
    with children(("hold_lock", str(database))):
        started_at = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await sqlite_store.admit(admission())

        assert time.monotonic() - started_at < PROMISED_SECONDS + SLACK_SECONDS


@pytest.mark.bound("writes that wait for SQLite")
async def test_every_write_in_a_queue_beside_a_held_lock_fails_in_time(
    sqlite_store: Store, database: Path
) -> None:
    with children(("hold_lock", str(database))):
        started_at = time.monotonic()
        outcomes = await asyncio.gather(
            *(sqlite_store.check() for _ in range(MAX_WAITING + 200)), return_exceptions=True
        )

        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
        assert time.monotonic() - started_at < PROMISED_SECONDS + SLACK_SECONDS


async def test_a_read_beside_a_held_lock_succeeds(sqlite_store: Store, database: Path) -> None:
    await sqlite_store.admit(admission())

    with children(("hold_lock", str(database))):
        assert await sqlite_store.find_grant(name("grant", 1)) == grant()


async def test_a_store_works_again_when_the_lock_is_gone(
    sqlite_store: Store, database: Path
) -> None:
    with children(("hold_lock", str(database))) as (holder,):
        with pytest.raises(StoreUnavailable):
            await sqlite_store.check()
        holder.go_on()
        assert holder.line() == "released"

        await sqlite_store.admit(admission())

    assert await sqlite_store.find_session(name("session", 1)) == session()


async def test_a_refused_write_does_not_happen_later(sqlite_store: Store, database: Path) -> None:
    with children(("hold_lock", str(database))) as (holder,):
        with pytest.raises(StoreUnavailable):
            await sqlite_store.admit(admission())
        holder.go_on()
        assert holder.line() == "released"

    await sqlite_store.check()
    assert await sqlite_store.find_session(name("session", 1)) is None


async def test_a_process_killed_before_its_commit_leaves_nothing(
    sqlite_store: Store, database: Path
) -> None:
    await sqlite_store.admit(admission(1))

    killed = Child("die_in_transaction", str(database))
    assert killed.process.wait(timeout=20) == -9
    killed.end()

    assert await sqlite_store.find_grant(name("grant", 2)) is None
    await sqlite_store.admit(admission(2, of=2))
    assert await sqlite_store.find_session(name("session", 1)) == session(1)
