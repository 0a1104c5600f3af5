"""PgBouncer for tests: in transaction mode, before a PostgreSQL of ours."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from services.postgres import PASSWORD, USER, PostgresServer
from services.processes import free_port, private_folder, require, start, write_for
from waiting import LIMIT_SECONDS

# Fewer connections to the server than a store has: transactions take turns on them.
CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
server_login_retry = 0.5
"""


@dataclass(frozen=True, slots=True)
class PgBouncer:
    """A PgBouncer, and the server behind it."""

    port: int
    server: PostgresServer

    def url(self, **query: str) -> str:
        """Return the URL of the server, through it."""
        return self.server.url(port=self.port, **query)


@contextmanager
def running_pgbouncer(server: PostgresServer) -> Iterator[PgBouncer]:
    """Run PgBouncer before a server."""
    program = require("pgbouncer")
    port = free_port()
    with private_folder("pgbouncer") as folder:
        users = write_for(folder, "users", f'"{USER}" "{PASSWORD}"\n')
        text = CONFIGURATION.format(server_port=server.port, port=port, users=users)
        process = start([program, write_for(folder, "ini", text)], folder / "log")
        try:
            give_up_at = time.monotonic() + LIMIT_SECONDS
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > give_up_at:
                    pytest.fail(f"PgBouncer did not start: {(folder / 'log').read_text()}")
                time.sleep(0.02)
            yield PgBouncer(port, server)
        finally:
            process.terminate()
            process.wait(LIMIT_SECONDS)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def pgbouncer(postgres: PostgresServer) -> Iterator[PgBouncer]:
    """Run one PgBouncer for the whole session."""
    with running_pgbouncer(postgres) as one:
        yield one
