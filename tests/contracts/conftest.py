"""Every store, one after the other, for the tests that say what a store must do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from webex_oauth.stores.memory import MemoryStore
from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.vault.store import Store


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "webex.sqlite"


def make_store(kind: str, database: Path) -> Store:
    if kind == "memory":
        return MemoryStore()
    return SqliteStore(database)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, database: Path) -> AsyncIterator[Store]:
    store = make_store(request.param, database)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def sqlite_store(database: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(database)
    await store.open()
    yield store
    await store.close()
