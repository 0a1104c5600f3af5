"""The real server and its keys: it refuses wrong ones, and changes them without a pause."""

import json
import re
import shutil
from pathlib import Path

import pytest
import requests
from edges.command import run, serving

from webex_oauth.emulator import Visitor
from webex_oauth.vault.key_file import read_key_file

MIRA = "mira@acme.example"
KEYS = Path(".webex-oauth") / "keys"


def sign_in(origin: str) -> requests.Session:
    browser = requests.Session()
    headers = {"origin": origin, "sec-fetch-site": "same-origin"}
    started = browser.post(
        f"{origin}/login",
        {"return_to": "/"},
        headers=headers,
        allow_redirects=False,
        timeout=10,
    )
    callback = Visitor().sign_in(started.headers["location"], MIRA, "accept")
    assert browser.get(callback, allow_redirects=False, timeout=10).status_code == 303
    return browser


def is_signed_in(browser: requests.Session, origin: str) -> bool:
    return "Mira" in browser.get(f"{origin}/listrooms", timeout=10).text


def events(log: str) -> list[str]:
    """Read what was logged."""
    return [json.loads(line)["event"] for line in log.splitlines() if line.startswith("{")]


@pytest.mark.check("E05", "F03", "F04")
def test_a_running_server_follows_its_keys(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, _, port):
        origin = f"http://localhost:{port}"
        before = sign_in(origin)
        old = read_key_file(tmp_path / KEYS).primary.id

        rotated = run(tmp_path, "keys", "rotate")
        retired = run(tmp_path, "keys", "retire", old)
        new = read_key_file(tmp_path / KEYS).primary.id
        adopted = server.line_with(f'"seals": "{new}"')
        after = sign_in(origin)

        assert (rotated.returncode, retired.returncode) == (0, 0), rotated.stderr + retired.stderr
        assert events(adopted) == [f"the keys changed: {new} seals, {[old]} open"]
        told = [line.partition(":")[0] for line in events(rotated.stderr + retired.stderr)]
        assert told == [
            f"key {new} was added",
            f"key {new} was made primary",
            f"rows were re-encrypted under key {new}",
            f"key {old} was removed",
        ]
        assert is_signed_in(before, origin)
        assert is_signed_in(after, origin)
    assert old not in (tmp_path / KEYS).read_text()


@pytest.mark.check("F03")
def test_a_rotation_names_a_server_without_the_key_and_continues_later(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "keys"
    variables = {"WEBEX_KEYS_FILE": str(elsewhere)}
    with serving(tmp_path) as (_, _, port):
        sign_in(f"http://localhost:{port}")
        elsewhere.parent.mkdir(0o700)
        shutil.copy2(tmp_path / KEYS, elsewhere)

        refused = run(tmp_path, "keys", "rotate", **variables)
        primary, *others = read_key_file(elsewhere).keys
    continued = run(tmp_path, "keys", "rotate", others[0].id, **variables)

    assert refused.returncode == 1
    assert f"key '{others[0].id}' cannot seal yet" in refused.stderr
    assert f"continue later with: webex-oauth keys rotate {others[0].id}" in refused.stderr
    assert primary.id == read_key_file(tmp_path / KEYS).primary.id
    assert continued.returncode == 0, continued.stderr
    assert [key.id for key in read_key_file(elsewhere).keys] == [others[0].id, primary.id]


def error_lines(folder: Path) -> list[str]:
    ended = run(folder, "serve")
    assert ended.returncode == 1
    return [line for line in ended.stderr.splitlines() if line.startswith("error")]


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """Leave a folder behind in which a server ran."""
    with serving(tmp_path) as (_, _, port):
        sign_in(f"http://localhost:{port}")
    return tmp_path


@pytest.mark.check("F03")
def test_a_server_without_its_key_file_refuses_to_start_with_one_line(used: Path) -> None:
    key_id = read_key_file(used / KEYS).primary.id
    (used / KEYS).unlink()

    [line] = error_lines(used)

    assert line.startswith(
        f"error: {used / KEYS} is not there, and the store needs its key '{key_id}'"
    )
    assert not (used / KEYS).exists()


@pytest.mark.check("F03")
def test_a_server_with_another_key_refuses_to_start_with_one_line(used: Path) -> None:
    key_id = read_key_file(used / KEYS).primary.id
    text = (used / KEYS).read_text()
    (used / KEYS).write_text(re.sub(rf"^{key_id}", "k-other", text, flags=re.MULTILINE))

    assert error_lines(used) == [
        f"error: key '{key_id}' of the store is not in {used / KEYS}: put it back"
    ]
