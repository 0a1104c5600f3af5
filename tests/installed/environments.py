"""Environments with this project's dependencies and those of a neighbour, kept between runs.

They are made anew when pyproject.toml or what is asked for changes; the project itself is not
installed into them but seen from its source.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".venv" / "installed"
INSTALL_SECONDS = 240
NO_INDEX = (
    *("Failed to fetch", "dns error", "network connectivity is disabled"),
    *("NameResolutionError", "Failed to establish a new connection"),
)


def environment(
    *wanted: str, extras: str = "", tools: tuple[str, ...] = (), lowest: bool = False
) -> Path:
    """Return an interpreter that has the dependencies, with *extras*, and what is *wanted* beside.

    With *lowest* they come in the lowest versions that are allowed. *tools* are added afterwards
    and change nothing of it. Skips where no package index is reached, unless CI runs.
    """
    resolution = "lowest-direct" if lowest else "highest"
    project = ["-r", str(ROOT / "pyproject.toml")]
    project += [part for extra in extras.split() for part in ("--extra", extra)]
    asked = ("--resolution", resolution, *project, *wanted)
    folder = KEPT / _digest(*asked, *tools)
    KEPT.mkdir(exist_ok=True)
    with (KEPT / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may want the same
        if not (folder / "complete").exists():
            _make(folder, asked, tools)
    return folder / "bin" / "python"


def _make(folder: Path, asked: Sequence[str], tools: Sequence[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, symlinks=True)
    python = str(folder / "bin" / "python")
    _uv("pip", "install", "--python", python, *asked)
    frozen = folder / "frozen.txt"
    frozen.write_text(_uv("pip", "freeze", "--python", python))
    if tools:
        _uv("pip", "install", "--python", python, "-c", str(frozen), *tools)
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "webex_oauth").symlink_to(ROOT / "src" / "webex_oauth")
    (folder / "complete").touch()


def installed(python: Path) -> set[str]:
    """Return the names of what an environment was made with."""
    lines = (python.parents[1] / "frozen.txt").read_text().splitlines()
    return {line.partition("==")[0] for line in lines}


def _digest(*asked: str) -> str:
    project = (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256("\0".join((sys.version, *asked)).encode() + project).hexdigest()[:16]


def _uv(*arguments: str) -> str:
    return install(*arguments, by=Path(find_uv_bin()))


def install(*arguments: str, by: Path) -> str:
    """Run an installer and return what it says; skip without a package index, unless CI runs."""
    ended = subprocess.run(
        [by, *arguments], capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if any(word in ended.stderr for word in NO_INDEX) and "CI" not in os.environ:
        pytest.skip("no package index can be reached, so nothing can be installed")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
