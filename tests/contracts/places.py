"""Where stores keep their rows, by kind: an entry here takes a kind through the whole contract.

A place is fresh and empty, and named by its URL, so that another store or another process can
open it too.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import pytest
from services.pgbouncer import PgBouncer
from services.postgres import PostgresServer, schema_of
from services.redis import RedisServer, fresh_prefix
from torture import IS_TORTURE

from webex_oauth.opening.store_urls import rows_at
from webex_oauth.vault.rows import Rows

MEMORY = "memory"

MakePlace: TypeAlias = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def memory_place(_: pytest.FixtureRequest) -> AsyncIterator[str]:
    yield "memory:"


@asynccontextmanager
async def sqlite_place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    yield f"sqlite:///{request.getfixturevalue('database')}"


@asynccontextmanager
async def postgres_place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    server: PostgresServer = request.getfixturevalue("postgres")
    with schema_of(server) as schema:
        yield server.url(schema=schema)


@asynccontextmanager
async def pgbouncer_place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    bouncer: PgBouncer = request.getfixturevalue("pgbouncer")
    with schema_of(bouncer.server) as schema:
        yield bouncer.url(schema=schema)


@asynccontextmanager
async def redis_place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    server: RedisServer = request.getfixturevalue("redis_server")
    yield server.url(prefix=fresh_prefix())


@asynccontextmanager
async def valkey_place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    server: RedisServer = request.getfixturevalue("valkey_server")
    yield server.url(prefix=fresh_prefix())


PLACES: dict[str, MakePlace] = {
    MEMORY: memory_place,
    "sqlite": sqlite_place,
    "postgres": postgres_place,
    "pgbouncer": pgbouncer_place,
    "redis": redis_place,
    "valkey": valkey_place,
}
"""Every kind of store. A maker finds the server that it needs by `request.getfixturevalue`."""

SHARED = ("sqlite", "postgres", "redis")
"""The kinds that several processes can open."""

SAME_ROWS = () if IS_TORTURE else ("pgbouncer", "valkey")
"""Other ways to the same rows: every day they take the contract of rows, not what is above it."""

WAYS = ("postgres", "pgbouncer") if IS_TORTURE else ("postgres",)
"""How to a PostgreSQL whose faults are tried."""


def places_for(fixtures: Collection[str]) -> list[str]:
    """Return the kinds of place that a test with these fixtures has to pass in."""
    left_out = {MEMORY} if "other_rows" in fixtures else set()
    if "ledger" in fixtures:
        left_out.update(SAME_ROWS)
    return [kind for kind in PLACES if kind not in left_out]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Rows]:
    """Open the rows at *url*, and close them afterwards."""
    rows = rows_at(url)
    await rows.open()
    try:
        yield rows
    finally:
        await rows.close()
