"""What storms need: servers to keep grants in, and authorization servers to refresh them at."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from contracts.places import PLACES
from services.redis import redis_server
from storm.authorities import AUTHORITIES, Authority

__all__ = ["redis_server"]

KINDS = ("sqlite", "postgres", "redis")
"""The stores that several processes share."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def case(request: pytest.FixtureRequest) -> str:
    """Name what this test meets: the authorization server and the store."""
    return str(request.node.callspec.id)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "webex.sqlite"


@pytest.fixture(params=KINDS)
async def place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Give the URL of a fresh and empty store, of each kind in turn."""
    async with PLACES[request.param](request) as url:
        yield url


@pytest.fixture(params=AUTHORITIES)
def authority(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Authority]:
    """Run an authorization server that ends a grant whose refresh token comes twice."""
    with AUTHORITIES[request.param](tmp_path) as authority:
        yield authority
