"""Fixtures for what only a PostgreSQL store does: one of them, and the schema it is in."""

from collections.abc import AsyncIterator, Iterator

import pytest
from services.postgres import PostgresServer, schema_of
from torture import IS_TORTURE

from webex_oauth.stores.postgres import PostgresStore
from webex_oauth.vault.store import Store

WAYS = ("direct", "bounced") if IS_TORTURE else ("direct",)
"""How to a server whose faults are tried; every day only the contract goes through a PgBouncer."""


@pytest.fixture
def schema(postgres: PostgresServer) -> Iterator[str]:
    with schema_of(postgres) as schema:
        yield schema


@pytest.fixture
async def store(postgres: PostgresServer, schema: str) -> AsyncIterator[Store]:
    store = PostgresStore(postgres.url(schema=schema))
    await store.open()
    yield store
    await store.close()
