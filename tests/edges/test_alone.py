"""Nothing phones out: the whole sign-in works in a network namespace with loopback alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import LIMIT_SECONDS

TESTS = Path(__file__).parent.parent
PROGRAM = Path(__file__).parent / "programs" / "sign_in_alone.py"
UNSHARE, IP = shutil.which("unshare"), shutil.which("ip") or "/usr/sbin/ip"


def in_namespace(*command: str) -> subprocess.CompletedProcess[str]:
    """Run *command* in a network namespace of its own, in which loopback is up."""
    up_and_run = f'{IP} link set lo up && exec "$@"'
    return subprocess.run(
        [str(UNSHARE), "--net", "sh", "-c", up_and_run, "sh", *command],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


@pytest.mark.check("I05")
def test_a_sign_in_calls_nobody_beyond_this_machine() -> None:
    if UNSHARE is None or in_namespace("true").returncode:
        pytest.skip("this machine does not let this user make network namespaces")

    ended = in_namespace(sys.executable, str(PROGRAM))

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith("alone\n")
