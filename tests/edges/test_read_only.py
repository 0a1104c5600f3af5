"""A container whose file system cannot be written: the application serves in it."""

import os
import shutil
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from edges.command import env_text, server, wait_until_listening
from services.processes import free_port
from services.redis import running_redis
from waiting import LIMIT_SECONDS

from webex_oauth.emulator import Emulator, RunningEmulator

KEY = f"k1 {urlsafe_b64encode(os.urandom(32)).decode()}"
READ_ONLY = """
mount --make-rprivate / && mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" &&
mount -o remount,bind,ro / && exec "$@"
"""
ONE_FILE = """
mount --make-rprivate / && mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"
"""


def mounted(script: str, path: Path) -> list[str]:
    """Return what goes before a command so that it finds *path* mounted; skip where that fails."""
    unshare = shutil.which("unshare")
    before = [str(unshare), "--mount", "sh", "-c", script, str(path)]
    if (
        unshare is None
        or subprocess.run(
            [*before, "true"], capture_output=True, timeout=LIMIT_SECONDS, check=False
        ).returncode
    ):
        pytest.skip("this machine does not let this user mount")
    return before


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with RunningEmulator() as running:
        yield running.emulator


def told(folder: Path, before: list[str], emulator: Emulator, **settings: str) -> list[str]:
    """Serve with *settings*, ask for a page, and return the warnings and the log."""
    port = free_port()
    (folder / ".env").write_text(env_text(emulator, port, settings))
    (folder / ".env").chmod(0o600)
    with server(folder, "serve", before=before) as process:
        process.line_with("Open ")
        wait_until_listening(port)
        assert requests.get(f"http://localhost:{port}/readyz", timeout=10).status_code == 200
        return [line for line in process.output.splitlines() if not line.startswith("Open ")]


def test_memory_needs_no_place_to_write_and_warns_of_none(
    tmp_path: Path, emulator: Emulator
) -> None:
    before = mounted(READ_ONLY, tmp_path)

    assert told(tmp_path, before, emulator, WEBEX_STORE_URL="memory:", WEBEX_KEYS=KEY) == []


def test_memory_makes_no_spool(tmp_path: Path, emulator: Emulator) -> None:
    assert told(tmp_path, [], emulator, WEBEX_STORE_URL="memory:", WEBEX_KEYS=KEY) == []
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_a_store_outside_needs_none_and_warns_of_the_spool(
    tmp_path: Path, emulator: Emulator
) -> None:
    before = mounted(READ_ONLY, tmp_path)
    with running_redis() as redis:
        [warning] = told(tmp_path, before, emulator, WEBEX_STORE_URL=redis.url(), WEBEX_KEYS=KEY)

    assert "kept in memory alone" in warning
    assert str(tmp_path / ".webex-oauth/spool") in warning


def test_keys_as_kubernetes_mounts_them_are_taken(tmp_path: Path, emulator: Emulator) -> None:
    secrets = tmp_path / "secrets"
    (secrets / "..2026").mkdir(parents=True)
    (secrets / "..2026/keys").write_text(f"{KEY}\n")
    (secrets / "..2026/keys").chmod(0o444)
    (secrets / "..data").symlink_to("..2026")
    (secrets / "keys").symlink_to("..data/keys")
    before = mounted(READ_ONLY, tmp_path)

    said = told(
        tmp_path, before, emulator, WEBEX_STORE_URL="memory:", WEBEX_KEYS_FILE="secrets/keys"
    )

    assert said == []


def test_keys_that_docker_mounts_as_one_file_are_taken(tmp_path: Path, emulator: Emulator) -> None:
    (tmp_path / "secrets").mkdir()
    keys = tmp_path / "secrets/keys"
    keys.write_text(f"{KEY}\n")
    keys.chmod(0o444)
    before = mounted(ONE_FILE, keys)

    said = told(
        tmp_path, before, emulator, WEBEX_STORE_URL="memory:", WEBEX_KEYS_FILE="secrets/keys"
    )

    assert said == []


def test_a_link_that_anyone_could_have_made_is_refused(tmp_path: Path, emulator: Emulator) -> None:
    (tmp_path / "theirs").write_text(f"{KEY}\n")
    (tmp_path / "theirs").chmod(0o444)
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "own/keys").symlink_to("../theirs")
    (tmp_path / ".env").write_text(
        env_text(
            emulator,
            free_port(),
            {"WEBEX_STORE_URL": "memory:", "WEBEX_KEYS_FILE": "own/keys"},
        )
    )
    with server(tmp_path, "serve", before=mounted(ONE_FILE, tmp_path / "theirs")) as process:
        ended = process.end()

    assert ended.exit_code == 1
    assert "put the file itself there" in ended.output
    assert "or put its text into WEBEX_KEYS" in ended.output
