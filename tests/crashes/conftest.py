"""What crashes need: databases that outlive processes, and a local Webex that counts."""

from collections.abc import Iterator

import pytest
from services.postgres import PostgresServer, schema_of
from services.redis import RedisServer, fresh_prefix, redis_server
from storm.fixtures import anyio_backend, clock, database, place
from storm.local_webex import LocalWebex, running_local_webex

__all__ = ["anyio_backend", "clock", "database", "place", "redis_server"]


@pytest.fixture(params=("postgres", "redis"))
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a fresh and empty database in a server, of each kind in turn."""
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
