"""Commands where output is closed, the environment is odd, options are absurd, or Ctrl-C comes."""

import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest
from edges.command import call
from waiting import LIMIT_SECONDS

from webex_oauth.cli import COMMANDS

ABSURD = [
    "emulator --port 99999",
    "emulator --port x",
    "emulator --port -1",
    "emulator --broker-port 1e9",
    "emulator --seed one",
    "demo --port 0",
    "demo --emulator-port 65536",
    "serve --workers 0",
    "serve --workers many",
    "serve --env-file /nowhere/.env",
    "serve --env-file /",
    "keep --once --once=yes",
    "keep --env-file /nowhere/.env",
    "login one",
    "login --scopes",
    "login --device --no-browser --env-file /nowhere/.env",
    "token one two",
    "exec",
    "exec one",
    "exec --",
    "exec one two -- true",
    "exec --env-file /nowhere/.env -- true",
    "grants --json=yes",
    "events one",
    "events --after -1",
    "events --env-file /nowhere/.env --follow",
    "logout one two",
    "logout --env-file /nowhere/.env one",
    "keys",
    "keys nonsense",
    "keys retire",
    "keys rotate k1 k2",
    "keys retire k1 --env-file /nowhere/.env",
    "check-config --env-file /",
    "check-config --connect=yes",
    "nonsense",
    "serve --nonsense",
    "demo --port x",
]


def ended_with(
    stdout: int | None, folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run a command whose output nobody can read."""
    return subprocess.run(
        [sys.executable, "-m", "webex_oauth", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["keys", "--help"], ["--version"]])
def test_a_reader_that_left_is_no_traceback(arguments: list[str], tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        ended = ended_with(write, tmp_path, *arguments)
    finally:
        os.close(write)

    assert (ended.returncode, ended.stderr) == (1, "")


def test_a_full_disk_behind_standard_output_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = ended_with(full.fileno(), tmp_path, "--help")

    assert (ended.returncode, ended.stderr) == (1, "error: [Errno 28] No space left on device\n")


@pytest.mark.parametrize("command", [*COMMANDS])
def test_a_command_needs_no_home(command: str, tmp_path: Path) -> None:
    ended = ended_with(subprocess.DEVNULL, tmp_path, command, "--help")

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("name", ["CLIENT_SECRET", "AUTH_INIT_URL", "WEBEX_STORE_URL", "PORT"])
def test_a_value_of_other_octets_is_told_by_its_name(name: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "webex_oauth", "check-config"],
        cwd=tmp_path,
        env={b"PATH": os.environb[b"PATH"], name.encode(): b"\xff\xfe"},
        capture_output=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )

    assert ended.returncode == 1
    assert f"error: {name} ".encode() in ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.check("C07")
@pytest.mark.parametrize("line", ABSURD)
def test_an_absurd_option_is_told_and_not_traced(line: str, tmp_path: Path) -> None:
    with chdir(tmp_path):
        ended = call(*line.split())

    assert isinstance(ended.exception, SystemExit)
    assert ended.exit_code in {1, 2}
    assert ended.stderr
