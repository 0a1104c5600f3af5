"""Fixtures for what only a PostgreSQL store does: one of them, and the schema it is in."""

from collections.abc import AsyncIterator, Iterator

import pytest
from services.postgres import PostgresServer, schema_of

from webex_oauth.stores.postgres import PostgresStore
from webex_oauth.vault.store import Store


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
