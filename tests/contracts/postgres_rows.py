"""Fixtures for what only PostgreSQL does: rows there, and the schema they are in."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from contracts.places import opened
from services.postgres import PostgresServer, schema_of

from webex_oauth.vault.rows import Rows


@pytest.fixture
def schema(postgres: PostgresServer) -> Iterator[str]:
    with schema_of(postgres) as schema:
        yield schema


@pytest.fixture
async def rows(postgres: PostgresServer, schema: str) -> AsyncIterator[Rows]:
    async with opened(postgres.url(schema=schema)) as rows:
        yield rows


@pytest.fixture
def other(postgres: PostgresServer) -> Iterator[psycopg.Connection]:
    """Another program's connection to the same database."""
    with postgres.connect() as connection:
        yield connection
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.execute("ROLLBACK")


def lock(connection: psycopg.Connection, schema: str, name: bytes) -> None:
    """Lock a row until the connection's transaction ends."""
    if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        connection.execute("BEGIN")
    connection.execute(f"SELECT FROM {schema}.rows WHERE name = %s FOR UPDATE", [name])


def waiting_count(connection: psycopg.Connection) -> int:
    """Count the connections that wait for a lock."""
    row = connection.execute(
        "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
    ).fetchone()
    return 0 if row is None else int(row[0])
