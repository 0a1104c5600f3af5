"""How the tables come to be in PostgreSQL, and which ones are refused."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from contracts.children import PROGRAMS, TESTS, children
from contracts.rows import NOW, admission, attempt, name, session
from contracts.tracing import injecting, needs_strace
from services.postgres import PASSWORD, PostgresServer, running_postgres, schema_of

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.postgres import PostgresStore
from webex_oauth.stores.postgres.schema import STEPS

pytestmark = pytest.mark.anyio

KILLED = 128 + 9


@pytest.fixture
def schema(postgres: PostgresServer) -> Iterator[str]:
    with schema_of(postgres) as schema:
        yield schema


@pytest.fixture
def owner(postgres: PostgresServer) -> Iterator[psycopg.Connection]:
    with postgres.connect() as connection:
        yield connection


@pytest.fixture
def visitor(owner: psycopg.Connection) -> Iterator[str]:
    """Make a user who may do nothing."""
    owner.execute(f"CREATE ROLE visitor LOGIN PASSWORD '{PASSWORD}'")
    yield "visitor"
    owner.execute("DROP OWNED BY visitor CASCADE")
    owner.execute("DROP ROLE visitor")


async def use(url: str) -> None:
    """Open a store and sign somebody in."""
    store = PostgresStore(url)
    await store.open()
    await store.add_attempt(attempt(), at_most=9, now=NOW)
    await store.admit(admission())
    assert await store.find_session(name("session", 1)) == session()
    await store.close()


@pytest.mark.check("H06")
@pytest.mark.parametrize("kind", ["postgres", "pgbouncer"])
def test_processes_that_start_together_all_open_a_new_schema(
    request: pytest.FixtureRequest, schema: str, kind: str
) -> None:
    url = request.getfixturevalue(kind).url(schema=schema)
    with children(*[("open_place", url)] * 4) as starters:
        for starter in starters:
            starter.go_on()
        answers = [starter.line() for starter in starters]

    assert answers == ["open"] * 4


@needs_strace()
@pytest.mark.check("H06")
@pytest.mark.parametrize("sent", range(10, 15))
def test_a_migration_that_was_killed_is_done_by_the_next(
    postgres: PostgresServer, schema: str, sent: int
) -> None:
    url = postgres.url(schema=schema)
    command = [*injecting("sendto", f"signal=SIGKILL:when={sent}"), sys.executable]
    killed = subprocess.run(
        [*command, PROGRAMS / "open_place.py", url],
        check=False,
        input=b"go\n",
        capture_output=True,
        env={"PYTHONPATH": str(TESTS)},
        timeout=40,
    )

    assert killed.returncode in (-9, KILLED), killed
    asyncio.run(use(url))


async def test_a_failed_migration_leaves_nothing(
    postgres: PostgresServer, schema: str, owner: psycopg.Connection
) -> None:
    owner.execute(f"CREATE SCHEMA {schema}")
    owner.execute(f"CREATE TABLE {schema}.pulse (somebody_elses integer)")

    with pytest.raises(ConfigurationError, match="another program's tables"):
        await PostgresStore(postgres.url(schema=schema)).open()

    tables = owner.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = %s::regnamespace",
        [schema],
    ).fetchall()
    assert tables == [("pulse",)]


@pytest.mark.check("H06")
async def test_a_newer_schema_is_refused_and_left_alone(
    postgres: PostgresServer, schema: str, owner: psycopg.Connection
) -> None:
    await use(postgres.url(schema=schema))
    newer = len(STEPS) + 1
    owner.execute(f"SET search_path = {schema}")
    owner.execute("UPDATE schema_version SET version = %s", [newer])

    with pytest.raises(ConfigurationError, match="newer webex-oauth"):
        await PostgresStore(postgres.url(schema=schema)).open()

    assert owner.execute("SELECT version FROM schema_version").fetchone() == (newer,)


async def test_who_may_not_make_tables_is_told_what_to_run(
    postgres: PostgresServer, schema: str, owner: psycopg.Connection, visitor: str
) -> None:
    url = postgres.url(user=visitor, schema=schema)
    with pytest.raises(ConfigurationError, match=f"CREATE SCHEMA {schema} AUTHORIZATION visitor"):
        await PostgresStore(url).open()

    owner.execute(f"CREATE SCHEMA {schema} AUTHORIZATION visitor")

    await use(url)


async def test_who_may_only_read_and_write_rows_can_use_tables_that_are_there(
    postgres: PostgresServer, schema: str, owner: psycopg.Connection, visitor: str
) -> None:
    store = PostgresStore(postgres.url(schema=schema))
    await store.open()
    await store.close()
    owner.execute(f"GRANT USAGE ON SCHEMA {schema} TO visitor")
    owner.execute(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO visitor"
    )

    await use(postgres.url(user=visitor, schema=schema))


async def test_who_may_not_use_the_schema_is_told(
    postgres: PostgresServer, schema: str, visitor: str
) -> None:
    await use(postgres.url(schema=schema))

    with pytest.raises(ConfigurationError, match="visitor may not"):
        await PostgresStore(postgres.url(user=visitor, schema=schema)).open()


async def test_a_server_that_promises_nothing_is_refused(postgres: PostgresServer) -> None:
    promised = postgres.url().replace("durability=unchecked", "")

    with pytest.raises(ConfigurationError, match="fsync is off") as refused:
        await PostgresStore(promised).open()

    assert len(refused.value.mistakes) == 2


async def test_a_role_that_does_not_wait_for_the_disk_is_refused() -> None:
    with running_postgres(fsync="on", full_page_writes="on") as server:
        promised = server.url().replace("durability=unchecked", "")
        await use(promised)
        with server.connect() as owner:
            owner.execute("ALTER ROLE tester SET synchronous_commit = off")

        with pytest.raises(ConfigurationError, match="synchronous_commit is off"):
            await PostgresStore(promised).open()


async def test_a_closed_store_is_unavailable_and_opens_again(
    postgres: PostgresServer, schema: str
) -> None:
    store = PostgresStore(postgres.url(schema=schema))
    await store.open()
    await store.admit(admission())
    await store.close()
    await store.close()

    await store.open()

    assert await store.find_session(name("session", 1)) == session()
    await store.close()
