"""What is installed is what was locked: by version and hash, from whichever index is at hand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from architecture.sources import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
REQUIREMENT = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==[^ ]+( ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


@pytest.mark.check("I01")
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_package_has_its_hashes(lock: Path) -> None:
    lines = lock.read_text(encoding="utf-8").splitlines()

    strange = [
        line for line in lines if not REQUIREMENT.fullmatch(line) and not HASH.fullmatch(line)
    ]
    starts = [number for number, line in enumerate(lines) if REQUIREMENT.fullmatch(line)]

    assert strange == []
    assert all(HASH.fullmatch(lines[start + 1]) for start in starts)


@pytest.mark.check("I01")
def test_make_installs_what_is_locked_and_resolves_nothing() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")

    installs = [line for line in recipe.splitlines() if "pip install" in line]

    assert installs
    assert all("--no-deps" in line for line in installs)
    assert all("--require-hashes" in line for line in installs if " -r " in line)


@pytest.mark.check("I01")
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_is_complete(lock: Path) -> None:
    assert gaps(lock) == ""


@pytest.mark.parametrize(
    ("spelled", "instead", "missed"),
    [
        ("coverage[toml]==", "coverage==", "coverage[toml]"),
        ("redis[hiredis]==", "redis==", "redis[hiredis]"),
        ("h11==", "h12==", "uvicorn asks for h11"),
        ("starlette==", "starlette==0.", "starlette>="),
    ],
)
def test_the_check_of_locks_finds(spelled: str, instead: str, missed: str, tmp_path: Path) -> None:
    text = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    lock = tmp_path / "dev.txt"
    lock.write_text(re.sub(rf"(?m)^{re.escape(spelled)}", instead, text), encoding="utf-8")

    assert missed in gaps(lock)


def gaps(lock: Path) -> str:
    """Return what scripts/check-locks finds wrong with *lock*."""
    checked = subprocess.run(
        [sys.executable, "scripts/check-locks", lock],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return checked.stderr
