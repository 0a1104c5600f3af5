"""Fixtures for tests with processes that share a database and a clock."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contracts.places import PLACES
from storm.clock_file import ClockFile

NOW = 1_800_000_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "webex.sqlite"


@pytest.fixture(params=("sqlite", "postgres", "redis"))
async def place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Return the URL of a fresh and empty database, of each shared kind in turn."""
    async with PLACES[request.param](request) as url:
        yield url


@pytest.fixture
def clock(tmp_path: Path) -> ClockFile:
    """Return a clock that shows NOW."""
    clock = ClockFile(tmp_path / "clock")
    clock.set(NOW)
    return clock
