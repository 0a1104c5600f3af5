"""Every store, one after the other, for the tests that say what a store must do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contracts.places import PLACES, opened, places_for
from contracts.records import ledger_on
from services.redis import own_redis, redis_server, valkey_server

from webex_oauth.stores.sqlite.rows import SqliteRows
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.rows import Rows

__all__ = ["own_redis", "redis_server", "valkey_server"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "webex.sqlite"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take each test through every kind of place, unless it names its own."""
    marks = metafunc.definition.iter_markers("parametrize")
    if "place" in metafunc.fixturenames and not any("place" in mark.args[0] for mark in marks):
        places = places_for(metafunc.fixturenames)
        metafunc.parametrize("place", places, indirect=True)


@pytest.fixture
async def place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Yield the URL of a fresh and empty place, of each kind in turn."""
    async with PLACES[request.param](request) as url:
        yield url


@pytest.fixture
async def rows(place: str) -> AsyncIterator[Rows]:
    async with opened(place) as rows:
        yield rows


@pytest.fixture
async def other_rows(place: str, rows: Rows) -> AsyncIterator[Rows]:
    """Open the place of `rows` once more, as another machine would."""
    async with opened(place) as other:
        assert type(other) is type(rows)
        yield other


@pytest.fixture
def ledger(rows: Rows) -> Ledger:
    return ledger_on(rows)


@pytest.fixture
def other_ledger(other_rows: Rows) -> Ledger:
    return ledger_on(other_rows)


@pytest.fixture
async def sqlite_rows(database: Path) -> AsyncIterator[SqliteRows]:
    rows = SqliteRows(database)
    await rows.open()
    yield rows
    await rows.close()
