"""Peers: servers and clients by others, each a process that ends with its test."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from services.processes import require
from waiting import LIMIT_SECONDS

FOLDER = Path(__file__).parent


def node(program: str) -> list[str]:
    """Write the command of a program for Node; skip where its packages are not installed."""
    command = [str(require("node")), str(FOLDER / "programs" / program)]
    if (FOLDER / "node_modules").is_dir():
        return command
    reason = "the peers' packages are not installed: run scripts/install-services"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running(command: Sequence[str]) -> Iterator[dict[str, str]]:
    """Run a server; give what the first line of its output says of it."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()
            process.wait(LIMIT_SECONDS)
