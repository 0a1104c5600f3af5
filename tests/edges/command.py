"""The command, run as a person runs it: another process, its output read, ended in any case."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result
from services.processes import free_port
from waiting import LIMIT_SECONDS, until

from webex_oauth.cli import main
from webex_oauth.emulator import Emulator, RunningEmulator, sample_env
from webex_oauth.settings import NAMES
from webex_oauth.settings.names import IGNORED_ENVIRONMENT

ORIGIN = re.compile(r"http://[a-z0-9.]+:\d+")


def environment(**variables: str) -> dict[str, str]:
    """Return an environment without settings but for *variables*."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **variables}


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "webex_oauth", *arguments],
        cwd=folder,
        env=environment(XDG_DATA_HOME=str(folder), **variables),
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def call(*arguments: str, **variables: str) -> Result:
    """Run a command that ends by itself inside this process, which is much quicker."""
    without_settings = dict.fromkeys((*NAMES, *IGNORED_ENVIRONMENT), None)
    return CliRunner().invoke(main, arguments, env={**without_settings, **variables})


@dataclass(frozen=True, slots=True)
class Ended:
    """How a server ended: its exit code and everything it wrote."""

    exit_code: int
    output: str


class Server:
    """A command that serves until it is told to stop."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        before: Sequence[str] = (),
        module: str = "webex_oauth",
        **variables: str,
    ) -> None:
        self._process = subprocess.Popen(
            [*before, sys.executable, "-m", module, *arguments],
            cwd=folder,
            env=environment(XDG_DATA_HOME=str(folder), PYTHONUNBUFFERED="1", **variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: list[str] = []
        self._has_more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def line_with(self, text: str) -> str:
        """Wait until a line with *text* is written."""
        ends_at = time.monotonic() + LIMIT_SECONDS
        with self._has_more:
            while True:
                for line in self._lines:
                    if text in line:
                        return line
                assert self._has_more.wait(ends_at - time.monotonic()), self.output

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def worker_ids(self) -> list[int]:
        """The ids of the processes that it has started and that live."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children]

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def end(self) -> Ended:
        """Wait for the end."""
        exit_code = self._process.wait(LIMIT_SECONDS)
        self._reader.join(LIMIT_SECONDS)
        return Ended(exit_code, self.output)

    def kill(self) -> None:
        """End it if it did not end."""
        self._process.kill()
        self._process.wait(LIMIT_SECONDS)
        self._reader.join(LIMIT_SECONDS)
        assert not self._reader.is_alive(), "what it started lives on"

    @property
    def output(self) -> str:
        """Everything written so far."""
        return "".join(self._lines)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                with self._has_more:
                    self._lines.append(line)
                    self._has_more.notify_all()


@contextlib.contextmanager
def server(
    folder: Path,
    *arguments: str,
    before: Sequence[str] = (),
    module: str = "webex_oauth",
    **variables: str,
) -> Iterator[Server]:
    """Start a serving command, and end it with the block; *before* starts other commands."""
    started = Server(folder, *arguments, before=before, module=module, **variables)
    try:
        yield started
    finally:
        started.kill()


def wait_until_listening(port: int) -> None:
    """Wait until somebody takes connections on *port*."""
    until(lambda: is_listening(port), f"nobody listens on {port}")


def wait_until_refusing(port: int) -> None:
    """Wait until nobody takes connections on *port* any more."""
    until(lambda: not is_listening(port), f"somebody still listens on {port}")


def is_listening(port: int) -> bool:
    """Return whether a connection to *port* is taken."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def env_text(emulator: Emulator, port: int, more: Mapping[str, str] | None = None) -> str:
    """Write a `.env` for an application on *port* that signs in at *emulator*."""
    integration = emulator.register(f"http://localhost:{port}/oauth")
    lines = [f"{name}={value}" for name, value in (more or {}).items()]
    return "\n".join([sample_env(integration, emulator.origin), *lines]) + "\n"


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[Server, Emulator, int]]:
    """Run `serve` with a `.env` in *folder*, next to an emulator; return its port too."""
    port = free_port()
    with RunningEmulator() as running:
        (folder / ".env").write_text(env_text(running.emulator, port))
        with server(folder, "serve", *options) as started:
            started.line_with("Open ")
            wait_until_listening(port)
            yield started, running.emulator, port
