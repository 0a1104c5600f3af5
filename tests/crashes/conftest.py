"""What crashes need: stores that outlive processes, and a local Webex that keeps count."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from contracts.places import PLACES
from crashes.local_webex import LocalWebex, running_local_webex
from services.postgres import PostgresServer, schema_of
from services.redis import RedisServer, fresh_prefix, redis_server
from storm.clock import NOW, clock

__all__ = ["NOW", "clock", "redis_server"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "webex.sqlite"


@pytest.fixture(params=("sqlite", "postgres", "redis"))
async def place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Give the URL of a fresh and empty store, of each kind in turn."""
    async with PLACES[request.param](request) as url:
        yield url


@pytest.fixture(params=("postgres", "redis"))
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the URL of a fresh and empty store in a server, of each kind in turn."""
    if request.param == "redis":
        redis: RedisServer = request.getfixturevalue("redis_server")
        yield redis.url(prefix=fresh_prefix())
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    with schema_of(postgres) as schema:
        yield postgres.url(schema=schema)


@pytest.fixture(params=("same", "rotate", "reuse-detect"))
def webex(request: pytest.FixtureRequest) -> Iterator[LocalWebex]:
    """Run a local Webex for each thing that a refresh may do to a refresh token."""
    with running_local_webex(request.param) as webex:
        yield webex
