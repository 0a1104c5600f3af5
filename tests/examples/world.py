"""A reader of the examples: their folder with a `.env`, the programs they start, their browser."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from architecture.sources import ROOT
from edges.command import wait_until_listening
from services.processes import free_port

from webex_oauth.emulator import RunningEmulator, Visitor, sample_env

EXAMPLES = ROOT / "examples"
LIMIT_SECONDS = 60
PYTHON = sys.executable


class World:
    """The `.env` of an integration that is registered at a local Webex, in *folder*."""

    def __init__(self, running: RunningEmulator, folder: Path, path: str = "/oauth") -> None:
        self.emulator = running.emulator
        self.folder = folder
        self.port = free_port()
        self.base = f"http://localhost:{self.port}"
        self.registered = self.emulator.register(f"{self.base}{path}")
        (folder / ".env").touch(0o600)
        (folder / ".env").write_text(
            sample_env(self.registered, running.origin) + f"\nPORT={self.port}\n"
        )

    def start(self, *command: str | Path, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(EXAMPLES),
                "PYTHONUNBUFFERED": "1",
                "SESSION_SECRET": "a secret of the host's own",
                **variables,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str | Path, **variables: str) -> str:
        """Run a command to its end and return what it printed."""
        process = self.start(*command, **variables)
        try:
            return process.communicate(timeout=LIMIT_SECONDS)[0]
        finally:
            process.kill()

    def run_example(self, name: str, *arguments: str, **variables: str) -> str:
        return self.run(PYTHON, EXAMPLES / f"{name}.py", *arguments, **variables)

    @contextmanager
    def serving(self, *command: str | Path, **variables: str) -> Iterator[httpx.Client]:
        """Run a server; the client is a browser beside it."""
        process = self.start(*command, **variables)
        try:
            wait_until_listening(self.port)
            with httpx.Client(base_url=self.base, trust_env=False, timeout=20) as client:
                yield client
        finally:
            process.terminate()
            sys.stdout.write(process.communicate(timeout=LIMIT_SECONDS)[0][-3000:])

    def uvicorn(self, name: str) -> tuple[str, ...]:
        """Return the command that serves an example."""
        port = str(self.port)
        return (PYTHON, "-m", "uvicorn", f"{name}:app", "--host", "localhost", "--port", port)

    def sign_in_at_terminal(self, *command: str | Path, email: str = "luca@acme.example") -> str:
        """Run a command that signs in, and be the person whose browser it opens."""
        process = self.start(*command, BROWSER="true")
        assert process.stdout is not None
        line = process.stdout.readline()
        url = re.search(r"Open (\S+)", line)
        assert url, line
        httpx.get(Visitor().sign_in(url[1], email), trust_env=False, follow_redirects=True)
        return process.communicate(timeout=LIMIT_SECONDS)[0]


def accepts(client: httpx.Client, start: httpx.Response, email: str) -> httpx.Response:
    """Accept at Webex, where *start* leads, and visit the callback."""
    return client.get(Visitor().sign_in(start.headers["location"], email))
