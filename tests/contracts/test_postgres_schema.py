"""How the tables are created in PostgreSQL, and which ones are refused."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from contracts.children import PROGRAMS, TESTS
from contracts.places import opened
from contracts.postgres_rows import other, rows, schema
from contracts.samples import add, read_one, rewritten, row, store
from contracts.tracing import injecting, needs_strace
from services.postgres import PASSWORD, PostgresServer, running_postgres

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.postgres.rows import PostgresRows
from webex_oauth.stores.postgres.schema import VERSION

__all__ = ["other", "rows", "schema"]

pytestmark = pytest.mark.anyio

KILLED = 128 + 9


@pytest.fixture
def visitor(other: psycopg.Connection) -> Iterator[str]:
    """Create a user who may do nothing."""
    other.execute(f"CREATE ROLE visitor LOGIN PASSWORD '{PASSWORD}'")
    yield "visitor"
    other.execute("DROP OWNED BY visitor CASCADE")
    other.execute("DROP ROLE visitor")


async def use(url: str) -> None:
    """Write two rows and read one."""
    async with opened(url) as rows:
        await store(rows, row(1), row(2))
        assert await read_one(rows, row(1)) == row(1)


@pytest.mark.parametrize(
    "values",
    [
        "kind = 'bogus'",
        "name = ''",
        "name = repeat('x', 65)::bytea",
        "rev = 0",
        "rev = -1",
        "rev = 9223372036854775807",
        "group_name = repeat('x', 65)::bytea",
        "at = -1",
        "over_at = 253402300800",
    ],
)
async def test_a_row_that_no_list_could_show_is_not_written(
    rows: PostgresRows, other: psycopg.Connection, schema: str, values: str
) -> None:
    await store(rows, row(1))

    with pytest.raises(psycopg.errors.CheckViolation):
        other.execute(f"UPDATE {schema}.rows SET {values}")  # noqa: S608 - ours


@needs_strace()
@pytest.mark.check("H06")
@pytest.mark.parametrize("sent", range(5, 9))
def test_a_creation_that_was_killed_is_done_by_the_next(
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


def contents(connection: psycopg.Connection, schema: str) -> list[tuple[str]]:
    statement = (
        "SELECT relname FROM pg_class WHERE relnamespace = %(schema)s::regnamespace"
        " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace"
    )
    return connection.execute(statement, {"schema": schema}).fetchall()


OTHERS = {
    "CREATE TABLE {schema}.rows (a integer)": "another program's tables",
    "CREATE TABLE {schema}.store (a integer)": "another program's tables",
    "CREATE TABLE {schema}.schema_version (version integer)": "run DROP SCHEMA {schema} CASCADE",
    f"CREATE TABLE {{schema}}.store AS SELECT {VERSION - 1} AS version": "an older webex-oauth",
    f"CREATE TABLE {{schema}}.store AS SELECT {VERSION + 1} AS version": "newer webex-oauth",
}


@pytest.mark.check("H06")
@pytest.mark.parametrize(("theirs", "mistake"), OTHERS.items())
async def test_a_schema_of_another_program_or_version_is_refused_and_left_alone(
    postgres: PostgresServer, schema: str, other: psycopg.Connection, theirs: str, mistake: str
) -> None:
    other.execute(f"CREATE SCHEMA {schema}")
    other.execute(theirs.format(schema=schema))
    before = contents(other, schema)

    with pytest.raises(ConfigurationError, match=mistake.format(schema=schema)) as refused:
        await PostgresRows(postgres.url(schema=schema)).open()

    assert "\n" not in str(refused.value)
    assert len(before) == 1
    assert contents(other, schema) == before


async def test_a_user_who_may_not_create_tables_is_told_what_to_run(
    postgres: PostgresServer, schema: str, other: psycopg.Connection, visitor: str
) -> None:
    url = postgres.url(user=visitor, schema=schema)
    with pytest.raises(ConfigurationError, match=f"CREATE SCHEMA {schema} AUTHORIZATION visitor"):
        await PostgresRows(url).open()

    other.execute(f"CREATE SCHEMA {schema} AUTHORIZATION visitor")

    await use(url)


async def test_a_user_who_may_only_read_and_write_rows_can_use_existing_tables(
    postgres: PostgresServer, schema: str, other: psycopg.Connection, visitor: str
) -> None:
    async with opened(postgres.url(schema=schema)):
        pass
    other.execute(f"GRANT USAGE ON SCHEMA {schema} TO visitor")
    other.execute(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO visitor"
    )

    await use(postgres.url(user=visitor, schema=schema))


async def test_a_user_who_may_not_use_the_schema_is_named(
    postgres: PostgresServer, schema: str, visitor: str
) -> None:
    await use(postgres.url(schema=schema))

    with pytest.raises(ConfigurationError, match="visitor may not"):
        await PostgresRows(postgres.url(user=visitor, schema=schema)).open()


async def test_a_server_that_does_not_wait_for_the_disk_is_refused(
    postgres: PostgresServer,
) -> None:
    promised = postgres.url().replace("durability=unchecked", "")

    with pytest.raises(ConfigurationError, match="fsync is off") as refused:
        await PostgresRows(promised).open()

    assert len(refused.value.mistakes) == 2


async def test_a_role_that_does_not_wait_for_the_disk_is_refused() -> None:
    with running_postgres(fsync="on", full_page_writes="on") as server:
        promised = server.url().replace("durability=unchecked", "")
        await use(promised)
        with server.connect() as owner:
            owner.execute("ALTER ROLE tester SET synchronous_commit = off")

        with pytest.raises(ConfigurationError, match="synchronous_commit is off"):
            await PostgresRows(promised).open()


@pytest.mark.parametrize("is_durable", [True, False])
async def test_only_what_is_not_durable_is_not_waited_for(
    postgres: PostgresServer, schema: str, other: psycopg.Connection, *, is_durable: bool
) -> None:
    async with opened(postgres.url(schema=schema, pool_size="1")) as rows:
        await store(rows, row(1), row(2))
        other.execute(NOTE_COMMITS.format(schema=schema))

        await rows.apply([rewritten(row(1))], durably=is_durable)
        await rows.apply([rewritten(row(2)), *add(row(3))], durably=is_durable)
        await rows.apply(add(row(4)), durably=True)

        seen = other.execute(f"TABLE {schema}.commits").fetchall()
    asked = "on" if is_durable else "off"
    assert seen == [(asked,), (asked,), (asked,), ("on",)]


NOTE_COMMITS = """
CREATE TABLE {schema}.commits (setting text);
CREATE FUNCTION {schema}.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO {schema}.commits VALUES (current_setting('synchronous_commit'));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER note AFTER INSERT OR UPDATE ON {schema}.rows
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.note()
"""
