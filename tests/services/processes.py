"""Servers that tests start: as nobody when the tests run as root, in folders of their own."""

import itertools
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

UNPRIVILEGED = "nobody"
FURTHER_FOLDERS = ("/usr/sbin", "/sbin")
# Another test run beside this one, or another worker of it, begins elsewhere.
PORTS = itertools.count(random.randrange(10_000, 30_000))  # noqa: S311 - no secret


def require(program: str, *folders: Path) -> Path:
    """Find a program; skip the test without it, or fail where everything has to be there."""
    path = os.pathsep.join([os.environ["PATH"], *FURTHER_FOLDERS, *map(str, folders)])
    found = shutil.which(program, path=path)
    if found is not None:
        return Path(found)
    reason = f"{program} is not installed: run scripts/install-services"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def private_folder(name: str) -> Iterator[Path]:
    """Make a folder for a server, which may not be root's."""
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as folder:
        path = Path(folder)
        give_away(path)
        yield path


def unprivileged(command: Sequence[str | Path]) -> list[str]:
    """Write a command so that it does not run as root."""
    words = [str(word) for word in command]
    if os.geteuid() != 0:
        return words
    drop = [
        f"--reuid={UNPRIVILEGED}",
        f"--regid={pwd.getpwnam(UNPRIVILEGED).pw_gid}",
        "--clear-groups",
        "--",
    ]
    return [str(require("setpriv")), *drop, *words]


def give_away(path: Path) -> None:
    """Hand over to the server what root has made for it."""
    if os.geteuid() == 0:
        shutil.chown(path, UNPRIVILEGED, pwd.getpwnam(UNPRIVILEGED).pw_gid)


def start(command: Sequence[str | Path], log: Path) -> subprocess.Popen[bytes]:
    """Start a server; what it says goes to *log*."""
    with log.open("ab") as out:
        return subprocess.Popen(
            unprivileged(command), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=log.parent
        )


def write_for(folder: Path, name: str, text: str) -> Path:
    """Write a file that only the server can read."""
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    give_away(path)
    return path


def free_port() -> int:
    """Return a free port below those that the system hands out: it stays free until it is used."""
    while True:
        port = next(PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
