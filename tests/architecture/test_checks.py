"""The table of checks tells which tests there are, and no test names a check that is not in it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from architecture.sources import ROOT
from checks import rows

# How many checks each chapter has; their numbers run from 1 without a gap.
CHAPTERS = {"A": 19, "B": 22, "C": 7, "D": 20, "E": 13, "F": 9, "G": 10, "H": 14, "I": 11}
TESTS = """
import pytest

@pytest.mark.check({check!r})
def test_something() -> None: ...
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def collect(folder: Path, check: str) -> subprocess.CompletedProcess[str]:
    """Collect a test that is marked with *check*, under the rules of all tests."""
    (folder / "test_marked.py").write_text(TESTS.format(check=check))
    project = ("-c", ROOT / "pyproject.toml", "--rootdir", folder, "-p", "no:cacheprovider")
    return run("-m", "pytest", "--collect-only", *project, "-p", "checks", folder)


def test_every_check_has_one_row() -> None:
    expected = [
        f"{letter}{n:02}" for letter, count in CHAPTERS.items() for n in range(1, count + 1)
    ]

    assert [row.check for row in rows()] == expected


def test_every_row_says_what_proves_it_or_why_nothing_does() -> None:
    silent = [row for row in rows() if not re.match(r"`\w+/|no test: \w+ \w+", row.proof)]

    assert silent == []


def test_the_table_of_checks_is_up_to_date() -> None:
    told = run("scripts/write-checks", "--check")

    assert told.returncode == 0, told.stderr


def test_a_mark_with_an_id_of_the_table_is_collected(tmp_path: Path) -> None:
    assert collect(tmp_path, "A01").returncode == pytest.ExitCode.OK


@pytest.mark.parametrize("check", ["ZZ99", "A00", "A99", "a01", ""])
def test_a_mark_with_an_unknown_id_stops_the_run(check: str, tmp_path: Path) -> None:
    told = collect(tmp_path, check)

    assert told.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"test_something: {check}" in told.stdout + told.stderr
