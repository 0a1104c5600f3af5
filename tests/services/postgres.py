"""PostgreSQL for tests: a server of our own, on a free port, that forgets everything at the end."""

import itertools
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from services.processes import free_port, private_folder, require, start, unprivileged, write_for
from waiting import LIMIT_SECONDS

USER = "tester"
PASSWORD = "a pass/word: with %25 & signs"  # what needs care in a URL
QUOTED = "a%20pass%2Fword%3A%20with%20%2525%20%26%20signs"
NUMBERS = itertools.count(1)
# Tests look at what a crash of processes does; a crash of the machine is not among it.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "autovacuum": "off",
    "deadlock_timeout": "500ms",
}

CUT_OFF_ALL = """
SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity
  WHERE usename = current_user AND pid <> pg_backend_pid()
    AND application_name = 'webex-oauth'
"""


class PostgresServer:
    """A server that a test may stop, kill and start again."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self._settings = {**SETTINGS, "unix_socket_directories": str(folder), **settings}
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, *, port: int | None = None, user: str = USER, **query: str) -> str:
        """Return the URL of the server; nothing here is durable."""
        fields = urlencode({"durability": "unchecked", **query})
        return f"postgresql://{user}:{QUOTED}@127.0.0.1:{port or self.port}/postgres?{fields}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        command = [str(binary("postgres")), f"-D{self.folder / 'data'}", f"-p{self.port}"]
        self._process = start([*command, *options], self.folder / "log")
        give_up_at = time.monotonic() + LIMIT_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                pytest.fail(f"PostgreSQL did not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: with SIGINT its clients are cut off, with SIGQUIT nothing is tidied up either."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(LIMIT_SECONDS)
            self._process = None

    def connect(self) -> psycopg.Connection:
        """Connect as the owner of everything, beside all stores."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=PASSWORD,
            dbname="postgres",
            autocommit=True,
        )

    def cut_off_all(self) -> int:
        """End every connection of a store, and say how many there were."""
        with self.connect() as connection:
            rows = connection.execute(CUT_OFF_ALL, [int(1000 * LIMIT_SECONDS)]).fetchall()
        return len(rows)

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


def binary(name: str) -> Path:
    """Find one of PostgreSQL's programs, which Debian keeps by version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return require(name, *folders)


@contextmanager
def running_postgres(**settings: str) -> Iterator[PostgresServer]:
    """Make a database cluster and run its server."""
    initdb = binary("initdb")
    with private_folder("postgres") as folder:
        password = write_for(folder, "password", PASSWORD)
        options = ["--no-sync", "--no-locale", "--encoding=UTF8", "--auth=scram-sha-256"]
        data = [f"-D{folder / 'data'}", f"--username={USER}", f"--pwfile={password}"]
        subprocess.run(
            unprivileged([initdb, *options, *data]), cwd=folder, check=True, capture_output=True
        )
        server = PostgresServer(folder, settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def schema_of(server: PostgresServer) -> Iterator[str]:
    """Yield the name of an unused schema; drop it afterwards."""
    schema = f"test_{next(NUMBERS)}"
    try:
        yield schema
    finally:
        with server.connect() as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Run one server for the whole session."""
    with running_postgres() as server:
        yield server
