"""What PostgreSQL's rows do when others are in their way."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from contracts.places import opened
from contracts.postgres_rows import lock, other, rows, schema, waiting_count
from contracts.samples import add, name, read_one, rewritten, row, store
from contracts.traffic import PROMISED_SECONDS, traffic
from services.postgres import PASSWORD, PostgresServer
from waiting import SLACK_SECONDS, until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.store import MAX_WAITING
from webex_oauth.vault.rows import Rows

__all__ = ["other", "rows", "schema"]

pytestmark = [pytest.mark.anyio, pytest.mark.check("H05")]

# The sequence counts on although the first transaction is undone.
DEADLOCK_ONCE = """
CREATE SEQUENCE {schema}.tries;
CREATE FUNCTION {schema}.deadlock_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('{schema}.tries') = 1 THEN
    RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER deadlock_once BEFORE UPDATE ON {schema}.rows
  FOR EACH ROW EXECUTE FUNCTION {schema}.deadlock_once();
"""
TRIES = "SELECT last_value FROM {schema}.tries"


async def test_a_row_that_is_locked_is_unavailable_in_time(
    rows: Rows, schema: str, other: psycopg.Connection
) -> None:
    await store(rows, row(1), row(2))
    lock(other, schema, name(1))
    lock(other, schema, name(2))
    asked_at = time.monotonic()

    outcomes = await asyncio.gather(
        rows.apply([rewritten(row(1))], durably=True),
        rows.apply([rewritten(row(2)), *add(row(3))], durably=False),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
    assert all("55P03" in str(outcome) for outcome in outcomes)  # by the server's own limit
    assert time.monotonic() - asked_at < PROMISED_SECONDS + SLACK_SECONDS


async def test_a_write_that_was_cancelled_does_not_happen_later(
    rows: Rows, schema: str, other: psycopg.Connection
) -> None:
    await store(rows, row())
    lock(other, schema, name(1))
    write = asyncio.create_task(rows.apply([rewritten(row())], durably=True))
    await until_true(lambda: waiting_count(other) == 1)
    write.cancel()
    await until_true(lambda: waiting_count(other) == 0)

    other.execute("ROLLBACK")

    await rows.check()
    assert await read_one(rows, row()) == row()


async def test_a_table_that_is_locked_stops_no_longer_than_promised(
    rows: Rows, schema: str, other: psycopg.Connection
) -> None:
    async with traffic(rows, people=8) as people:
        await people.flows(8)
        other.execute("BEGIN")
        statement = f"LOCK TABLE {schema}.rows IN ACCESS EXCLUSIVE MODE"
        await asyncio.to_thread(other.execute, statement)
        await until_true(lambda: people.outcomes["StoreUnavailable"])  # while it is locked
        other.execute("ROLLBACK")
        await people.flows(8)


async def test_a_deadlock_is_tried_again(
    rows: Rows, schema: str, other: psycopg.Connection
) -> None:
    await store(rows, row())
    other.execute(DEADLOCK_ONCE.format(schema=schema))

    assert await rows.apply([rewritten(row())], durably=True)

    assert other.execute(TRIES.format(schema=schema)).fetchone() == (2,)


@contextmanager
def role(server: PostgresServer, schema: str, name: str, *limits: str) -> Iterator[None]:
    """Create a user with a schema, and limits."""
    with server.connect() as owner:
        owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' {' '.join(limits)}")
        owner.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {name}")
        try:
            yield
        finally:
            owner.execute(f"DROP OWNED BY {name} CASCADE")
            owner.execute(f"DROP ROLE {name}")


async def test_too_many_connections_are_unavailable_and_pass(
    postgres: PostgresServer, schema: str
) -> None:
    with role(postgres, schema, "crowded", "CONNECTION LIMIT 3"):
        async with opened(postgres.url(user="crowded", schema=schema)) as rows:
            async with traffic(rows, people=12) as people:
                await people.flows(12)

            assert people.outcomes["StoreUnavailable"] > 0
            await rows.check()


async def test_more_callers_than_connections_take_turns(
    postgres: PostgresServer, schema: str
) -> None:
    async with opened(postgres.url(schema=schema, pool_size="2")) as rows:
        async with traffic(rows, people=30) as people:
            await people.flows(30)

        assert people.outcomes["StoreUnavailable"] == 0


@pytest.mark.bound("calls that wait for PostgreSQL")
async def test_a_queue_without_end_is_refused(
    rows: Rows, schema: str, other: psycopg.Connection
) -> None:
    other.execute("BEGIN")
    other.execute(f"LOCK TABLE {schema}.store IN ACCESS EXCLUSIVE MODE")
    started_at = time.monotonic()

    outcomes = await asyncio.gather(
        *(rows.check() for _ in range(MAX_WAITING + 200)), return_exceptions=True
    )

    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert sum("too many calls are waiting" in str(outcome) for outcome in outcomes) > 100
    assert time.monotonic() - started_at < PROMISED_SECONDS + SLACK_SECONDS


@contextmanager
def read_only(server: PostgresServer) -> Iterator[None]:
    """Allow every new connection to read only, as one to a standby."""
    with server.connect() as owner:
        owner.execute("ALTER ROLE tester SET default_transaction_read_only = on")
        try:
            server.cut_off_all()
            yield
        finally:
            owner.execute("ALTER ROLE tester RESET default_transaction_read_only")


async def test_a_server_that_may_not_write_is_unavailable_until_it_may(
    postgres: PostgresServer, rows: Rows
) -> None:
    await store(rows, row())

    with read_only(postgres):
        with pytest.raises(StoreUnavailable, match="25006"):
            await rows.check()
        assert await read_one(rows, row()) == row()

    await rows.check()
    assert await read_one(rows, row()) == row()


@pytest.mark.parametrize(
    "default", ["default_transaction_isolation = 'serializable'", "statement_timeout = '15ms'"]
)
async def test_a_strict_role_loses_nothing_and_leaves_no_halves(
    postgres: PostgresServer, schema: str, default: str
) -> None:
    with role(postgres, schema, "strict"), postgres.connect() as owner:
        async with opened(postgres.url(user="strict", schema=schema)) as rows:
            owner.execute(f"ALTER ROLE strict SET {default}")
            async with traffic(rows) as people:
                await people.flows()


async def test_a_connection_is_used_again(rows: Rows, other: psycopg.Connection) -> None:
    await rows.check()
    await until_true(lambda: len(backends(other)) == 1)  # others are still leaving
    before = backends(other)

    for _ in range(20):
        await rows.check()

    assert backends(other) == before


def backends(connection: psycopg.Connection) -> list[tuple[int]]:
    connection.execute("SELECT pg_stat_clear_snapshot()")
    return connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'webex-oauth'"
    ).fetchall()
