"""What a PostgreSQL store does when others are in its way."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from contracts.postgres_store import schema, store
from contracts.rows import NOW, admission, grant, name, session
from contracts.traffic import PROMISED_SECONDS, traffic
from services.postgres import PASSWORD, PostgresServer
from waiting import SLACK_SECONDS, until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.postgres import PostgresStore
from webex_oauth.stores.postgres.database import BEGIN
from webex_oauth.stores.postgres.pool import MAX_WAITING
from webex_oauth.vault.records import Lease
from webex_oauth.vault.store import Store

__all__ = ["schema", "store"]

pytestmark = [pytest.mark.anyio, pytest.mark.check("H05")]

LEASE = Lease(b"owner", NOW + 30)


@pytest.fixture
def other(postgres: PostgresServer) -> Iterator[psycopg.Connection]:
    """Give somebody else's connection, in a transaction of its own."""
    with postgres.connect() as connection:
        connection.execute("BEGIN")
        yield connection
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.execute("ROLLBACK")


def lock_grant(connection: psycopg.Connection, schema: str, number: int) -> None:
    connection.execute(
        f"SELECT FROM {schema}.grants WHERE key = %s FOR UPDATE", [name("grant", number)]
    )


async def test_a_row_that_is_locked_is_unavailable_in_time(
    store: Store, schema: str, other: psycopg.Connection
) -> None:
    await store.admit(admission())
    lock_grant(other, schema, 1)
    asked_at = time.monotonic()

    with pytest.raises(StoreUnavailable):
        await store.claim_grant(grant(), LEASE, NOW)

    assert time.monotonic() - asked_at < PROMISED_SECONDS + SLACK_SECONDS


async def test_a_claim_that_was_given_up_does_not_happen_later(
    store: Store, schema: str, other: psycopg.Connection
) -> None:
    await store.admit(admission())
    lock_grant(other, schema, 1)
    with pytest.raises(StoreUnavailable):
        await store.claim_grant(grant(), LEASE, NOW)
    await until_nobody_waits(other)

    other.execute("ROLLBACK")

    await store.check()
    assert await store.find_grant(name("grant", 1)) == grant()


async def test_a_table_that_is_locked_stops_no_longer_than_promised(
    store: Store, schema: str, other: psycopg.Connection
) -> None:
    async with traffic(store, people=8) as people:
        await people.flows(8)
        lock = f"LOCK TABLE {schema}.sessions IN ACCESS EXCLUSIVE MODE"
        await asyncio.to_thread(other.execute, lock)
        await until_true(lambda: people.outcomes["StoreUnavailable"])  # while it is locked
        other.execute("ROLLBACK")
        await people.flows(8)


async def test_a_deadlock_is_tried_again(
    store: Store, schema: str, other: psycopg.Connection
) -> None:
    await store.admit(admission(1, of=1))
    await store.admit(admission(2, of=2))
    other.execute("SET LOCAL deadlock_timeout = '10s'")
    lock_grant(other, schema, 2)
    again = admission(3, of=1, version=2, expected_version=1, replaced=2)

    signing_in = asyncio.create_task(store.admit(again))
    await until_somebody_waits(other)
    crossing = threading.Thread(target=lock_and_leave, args=(other, schema))
    crossing.start()

    ended = await signing_in
    await asyncio.to_thread(crossing.join)
    assert ended is not None
    assert await store.find_session(name("session", 3)) == session(3)
    assert await store.find_grant(name("grant", 2)) is None


def lock_and_leave(connection: psycopg.Connection, schema: str) -> None:
    lock_grant(connection, schema, 1)
    connection.execute("COMMIT")


async def until_somebody_waits(connection: psycopg.Connection) -> None:
    await until_waiters_are(connection, is_any=True)


async def until_nobody_waits(connection: psycopg.Connection) -> None:
    await until_waiters_are(connection, is_any=False)


async def until_waiters_are(connection: psycopg.Connection, *, is_any: bool) -> None:
    await until_true(lambda: waiters(connection) == is_any)


def waiters(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").fetchone()
    return row is not None and bool(row[0])


@contextmanager
def role(server: PostgresServer, schema: str, name: str, *limits: str) -> Iterator[None]:
    """Make a user with a schema, and limits."""
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
        store = PostgresStore(postgres.url(user="crowded", schema=schema))
        await store.open()

        async with traffic(store, people=12) as people:
            await people.flows(12)

        assert people.outcomes["StoreUnavailable"] > 0
        await store.check()
        await store.close()


async def test_more_callers_than_connections_take_turns(
    postgres: PostgresServer, schema: str
) -> None:
    store = PostgresStore(postgres.url(schema=schema, pool_size="2"))
    await store.open()

    async with traffic(store, people=30) as people:
        await people.flows(30)

    assert people.outcomes["StoreUnavailable"] == 0
    await store.close()


@pytest.mark.bound("calls that wait for PostgreSQL")
async def test_a_queue_without_end_is_refused(
    store: Store, schema: str, other: psycopg.Connection
) -> None:
    other.execute(f"LOCK TABLE {schema}.pulse IN ACCESS EXCLUSIVE MODE")
    started_at = time.monotonic()

    outcomes = await asyncio.gather(
        *(store.check() for _ in range(MAX_WAITING + 200)), return_exceptions=True
    )

    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert sum("too many wait" in str(outcome) for outcome in outcomes) > 100
    assert time.monotonic() - started_at < PROMISED_SECONDS + SLACK_SECONDS


@contextmanager
def read_only(server: PostgresServer) -> Iterator[None]:
    """Let every connection from now on only read, as those to a standby can."""
    with server.connect() as owner:
        owner.execute("ALTER ROLE tester SET default_transaction_read_only = on")
        try:
            server.cut_off_all()
            yield
        finally:
            owner.execute("ALTER ROLE tester RESET default_transaction_read_only")


async def test_a_server_that_may_not_write_is_unavailable_until_it_may(
    postgres: PostgresServer, store: Store
) -> None:
    await store.admit(admission())

    with read_only(postgres):
        with pytest.raises(StoreUnavailable, match="25006"):
            await store.check()
        assert await store.find_session(name("session", 1)) == session()

    await store.check()
    assert await store.find_session(name("session", 1)) == session()


@pytest.mark.parametrize(
    "default", ["default_transaction_isolation = 'serializable'", "statement_timeout = '15ms'"]
)
async def test_a_strict_role_loses_nothing_and_leaves_no_halves(
    postgres: PostgresServer, schema: str, default: str
) -> None:
    with role(postgres, schema, "strict"), postgres.connect() as owner:
        store = PostgresStore(postgres.url(user="strict", schema=schema))
        await store.open()
        owner.execute(f"ALTER ROLE strict SET {default}")
        async with traffic(store) as people:
            await people.flows()
        await store.close()


async def test_a_transaction_of_a_stopped_process_lets_go(
    postgres: PostgresServer, schema: str, store: Store
) -> None:
    await store.admit(admission())
    stopped = await psycopg.AsyncConnection.connect(postgres.url().partition("?")[0])
    await stopped.set_autocommit(True)
    await stopped.execute(BEGIN)
    await stopped.execute(f"SELECT FROM {schema}.grants FOR UPDATE")

    await until_true(lambda: is_claimed(store))
    await stopped.close()


async def is_claimed(store: Store) -> bool:
    try:
        return await store.claim_grant(grant(), LEASE, NOW) is not None
    except StoreUnavailable:
        return False


async def test_a_connection_is_used_again(store: Store, other: psycopg.Connection) -> None:
    await store.check()
    await until_true(lambda: len(backends(other)) == 1)  # others are still leaving
    before = backends(other)

    for _ in range(20):
        await store.check()

    assert backends(other) == before


def backends(connection: psycopg.Connection) -> list[tuple[int]]:
    connection.execute("SELECT pg_stat_clear_snapshot()")
    return connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'webex-oauth'"
    ).fetchall()
