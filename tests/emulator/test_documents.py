"""What docs/emulator.md says of options, faults and the control API is so."""

import re
import shlex
import subprocess
import sys

import pytest
from architecture.sources import ROOT

from webex_oauth.emulator import Action, Emulator
from webex_oauth.emulator.endpoints.control import ROUTES

PAGE = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
EXAMPLE_ORIGIN = "http://127.0.0.1:8090"
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("curl ")]
METHOD = re.compile(r"\b[A-Z]+\b")
SECONDS = 20


def test_the_table_of_options_is_current() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "write-options"), "--check"]

    subprocess.run(command, check=True, timeout=SECONDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_control_api_works(emulator: Emulator, command: str) -> None:
    words = shlex.split(command.replace(EXAMPLE_ORIGIN, emulator.origin))

    # What is told of a new integration has its secret, which belongs to who asked.
    subprocess.run(words, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL)


def test_the_table_of_the_control_api_is_its_routes() -> None:
    rows = re.findall(r"^\| ((?:`[A-Z]+`, )*`[A-Z]+ [a-z]+`) \|", PAGE, re.MULTILINE)
    told = [(word, row.split()[-1].strip("`")) for row in rows for word in METHOD.findall(row)]

    assert COMMANDS
    assert sorted(told) == sorted(
        (method, path.removeprefix("/_emulator/")) for method, path, _ in ROUTES
    )


def test_every_fault_is_told() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    tags = [kind.__struct_config__.tag for kind in Action.__args__]

    for tag in tags:
        assert [row for row in rows if f"`{tag}`" in row], tag
