"""The table of checks tells which tests there are."""

import subprocess
import sys

from architecture.sources import ROOT


def test_the_table_of_checks_is_up_to_date() -> None:
    told = subprocess.run(
        [sys.executable, "scripts/write-checks", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert told.returncode == 0, told.stderr
