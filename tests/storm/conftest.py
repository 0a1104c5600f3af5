"""What storms need: databases to keep grants in, and authorization servers to refresh them at."""

from collections.abc import Iterator

import pytest
from services.redis import redis_server
from storm.authorities import AUTHORITIES, Authority
from storm.fixtures import anyio_backend, clock, database, place

__all__ = ["anyio_backend", "clock", "database", "place", "redis_server"]


@pytest.fixture
def case(request: pytest.FixtureRequest) -> str:
    """Return what this test meets: the authorization server and the database."""
    return str(request.node.callspec.id)


@pytest.fixture(params=AUTHORITIES)
def authority(request: pytest.FixtureRequest) -> Iterator[Authority]:
    with AUTHORITIES[request.param]() as authority:
        yield authority
