"""What a process of the command leaves for others on its machine to find."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values
from edges.command import environment, serving

from webex_oauth.cli import COMMANDS

CRASH_AT_THE_END = """
import atexit, os, sys
atexit.register(os.abort)
from webex_oauth.cli import main
main([sys.argv[1], "--help"])
"""


def allow_core_dumps() -> None:
    """Make a process begin as after `ulimit -c unlimited`."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def crash(folder: Path, program: str, *arguments: str) -> int:
    """Run a Python program that crashes where core dumps are allowed; return its exit code."""
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=environment(),
        preexec_fn=allow_core_dumps,
        capture_output=True,
        timeout=30,
        check=False,
    )
    return ended.returncode


@pytest.fixture
def _core_dumps_stay_here(tmp_path: Path) -> None:
    """Skip where a crash leaves no core dump in its folder even when it may."""
    crash(tmp_path, "import os; os.abort()")
    dumps = list(tmp_path.iterdir())
    for dump in dumps:
        dump.unlink()
    if not dumps:
        pytest.skip("this machine keeps core dumps elsewhere, or none")


@pytest.mark.check("E03")
@pytest.mark.usefixtures("_core_dumps_stay_here")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_crashes_leaves_no_memory_on_the_disk(command: str, tmp_path: Path) -> None:
    exit_code = crash(tmp_path, CRASH_AT_THE_END, command)

    assert exit_code == -signal.SIGABRT
    assert list(tmp_path.iterdir()) == []


@pytest.mark.check("C05")
def test_no_secret_is_in_the_arguments_of_a_server_or_its_workers(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2") as (process, _, _):
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        arguments = [
            Path(f"/proc/{one}/cmdline").read_text() for one in [str(process.pid), *workers]
        ]
    secret = dotenv_values(tmp_path / ".env")["CLIENT_SECRET"]

    assert secret
    assert [secret in given for given in arguments] == [False, False, False]
