"""Every store, one after the other, for the tests that say what a store must do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contracts.places import PLACES
from services.redis import own_redis, redis_server, valkey_server

from webex_oauth.integration.store_urls import store_at
from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.vault.store import Store

__all__ = ["own_redis", "redis_server", "valkey_server"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "webex.sqlite"


@pytest.fixture(params=PLACES)
async def place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Give the URL of a fresh and empty place, of each kind in turn."""
    async with PLACES[request.param](request) as url:
        yield url


@pytest.fixture
async def store(place: str) -> AsyncIterator[Store]:
    store = store_at(place)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def other_store(place: str, store: Store) -> AsyncIterator[Store]:
    """Open the place of `store` once more, as another machine would."""
    other = store_at(place)
    assert type(other) is type(store)
    await other.open()
    yield other
    await other.close()


@pytest.fixture
async def sqlite_store(database: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(database)
    await store.open()
    yield store
    await store.close()
