"""A database server of the tests' kind, for as long as standard input is open.

It keeps what it confirms, as it would have to for real people; the tests' own forget.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from services.postgres import running_postgres
from services.redis import running_redis

from bench.vault_jobs import Offer

POSTGRES = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
REDIS = {"appendfsync": "always", "auto-aof-rewrite-percentage": "0"}


@contextmanager
def postgres() -> Iterator[Offer]:
    """Run PostgreSQL."""
    with running_postgres(**POSTGRES) as server:
        with server.connect() as connection:
            version = connection.info.parameter_status("server_version")
        yield Offer(server.url(), f"PostgreSQL {version}")


@contextmanager
def redis() -> Iterator[Offer]:
    """Run Redis."""
    with running_redis(**REDIS) as server:
        version = server.ask("INFO", "server")["redis_version"]
        yield Offer(server.url(), f"Redis {version}")


KINDS = {"postgres": postgres, "redis": redis}


def tell(offer: Offer) -> None:
    """Say what is there, in one line."""
    print(msgspec.json.encode(offer).decode(), flush=True)


def main() -> None:
    """Offer a server of the kind that was asked for, and serve."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        with KINDS[sys.argv[1]]() as offer:
            tell(offer)
            sys.stdin.buffer.read()
    except pytest.skip.Exception as skipped:
        tell(Offer(reason=skipped.msg))


if __name__ == "__main__":
    main()
