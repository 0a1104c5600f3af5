"""What an installation brings: eight packages for the library, room for others' frameworks."""

import subprocess
import sys
from pathlib import Path

import pytest
from installed.environments import environment, installed

MOST_PACKAGES = 8
LIMIT_SECONDS = 30
NEIGHBOURS = {
    "fastapi": (("fastapi~=0.115.0",), ""),
    "fastapi with the application": (("fastapi~=0.115.0",), "app"),
    "flask": (("flask~=3.0.0",), ""),
    "django": (("django~=4.2.0",), ""),
    "arq": (("arq",), "redis"),
    "celery": (("celery[redis]",), "redis"),
}
USE = """
import sys
from webex_oauth import Integration, Settings

settings = Settings(
    client_id="C0ffee", client_secret="5ec2e7a1" * 8, redirect_uri="http://localhost:8080/oauth",
    scopes=["spark:people_read"], store_url="memory:", keys_file=sys.argv[1],
)
with Integration(settings) as webex:
    print(webex.sign_in.begin().url)
"""


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def test_the_library_brings_few_packages() -> None:
    brought = installed(environment())

    assert len(brought) <= MOST_PACKAGES, brought


@pytest.mark.parametrize("neighbour", ["nothing", *NEIGHBOURS])
def test_the_library_works_beside(neighbour: str, tmp_path: Path) -> None:
    wanted, extras = NEIGHBOURS.get(neighbour, ((), ""))
    python = environment(*wanted, extras=extras)

    ended = run(python, "-W", "error", "-c", USE, str(tmp_path / "own" / "keys"))

    assert ended.stdout.startswith("https://webexapis.com/v1/authorize?"), ended.stderr


@pytest.mark.parametrize("wanted", [(), ("flask~=3.0.0",), ("click",)])
def test_the_command_says_how_to_install_what_it_needs(wanted: tuple[str, ...]) -> None:
    ended = run(environment(*wanted), "-m", "webex_oauth", "demo")

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[0].endswith("is not installed: install webex-oauth with [app]")
    assert len(ended.stderr.splitlines()) == 1


def test_the_local_webex_needs_its_own_extra_alone() -> None:
    program = "from webex_oauth.emulator import RunningEmulator\nwith RunningEmulator(): pass"

    assert run(environment(extras="emulator"), "-c", program).stderr == ""


def test_what_only_posix_has_is_not_needed_to_import_the_commands() -> None:
    program = """
import builtins, importlib
MISSING = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty", "uvloop"}
real = builtins.__import__
def without(name, globals=None, *rest, **named):
    if name in MISSING and (globals or {}).get("__name__", "").startswith("webex_oauth"):
        raise ModuleNotFoundError(name)
    return real(name, globals, *rest, **named)
builtins.__import__ = without
from webex_oauth.cli import COMMANDS, main
for name in COMMANDS:
    main.get_command(None, name)
importlib.import_module("webex_oauth.cli.worker")
importlib.import_module("webex_oauth.asgi")
importlib.import_module("webex_oauth.library")
"""
    ended = run(Path(sys.executable), "-c", program)

    assert (ended.returncode, ended.stderr) == (0, "")
