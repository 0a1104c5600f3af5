"""What is installed is what was locked: by version and hash, from whichever index is at hand."""

import re
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
def test_make_installs_by_hash_alone() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")

    installs = [line for line in recipe.splitlines() if "pip install" in line]

    assert installs
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
