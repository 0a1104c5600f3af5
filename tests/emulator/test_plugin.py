"""The pytest plugin: programs of others are tested with a local Webex, without a word of set-up."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from waiting import LIMIT_SECONDS

from webex_oauth import ConfigurationError, Integration, Secret, Settings
from webex_oauth.emulator import RunningEmulator
from webex_oauth.flask import WebexAuth
from webex_oauth.settings import NAMES
from webex_oauth.testing import WebexEmulator

PROGRAM = """
from flask import Flask

from webex_oauth.flask import WebexAuth, current_grant
from webex_oauth.webex import rooms

app = Flask(__name__)
webex = WebexAuth(app, login_path="/connect")


@app.get("/rooms")
@webex.login_required("spark:rooms_read")
def show_rooms():
    return [room.title for room in current_grant.items(rooms.listing())]
"""
TESTS = """
import pytest
from program import app, webex
from webex_oauth.emulator import Answer, VisitRefused


@pytest.mark.parametrize("turn", [1, 2])
def test_rooms(webex_emulator, turn):
    assert list(webex.integration.grants.list()) == []
    with webex_emulator.serving(webex):
        client = app.test_client()
        landed = webex_emulator.sign_in(client, "luca@acme.example", return_to="/rooms")
        assert landed.headers["Location"] == "/rooms"
        assert len(client.get("/rooms").json) == 3
        webex_emulator.clock.advance(15 * 86400)
        assert len(client.get("/rooms").json) == 3
        assert webex_emulator.journal.count("POST", "/v1/access_token") == 2
        webex_emulator.faults.add("GET", "/v1/rooms", Answer(status=404))
        assert client.get("/rooms").status_code == 404
        with pytest.raises(VisitRefused, match="cannot sign in"):
            webex_emulator.sign_in(client, "colleague1@acme.example")
        declined = webex_emulator.sign_in(client, "mira@acme.example", decision="decline")
        assert declined.status_code == 403


def test_withdrawal(webex_emulator):
    assert webex_emulator.base_url == "http://localhost:9123"
    assert webex_emulator.journal.count() == 0
    with webex_emulator.serving(webex):
        client = app.test_client()
        webex_emulator.sign_in(client, "luca@acme.example")
        webex_emulator.revoke("luca@acme.example")
        assert client.get("/rooms").json["error"] == "ReauthRequired"
"""
QUERY = {
    "client_id": "C" + "0123456789abcdef" * 4,
    "response_type": "code",
    "redirect_uri": "http://localhost:9123/my/callback",
    "scope": "spark:people_read spark:rooms_read",
}
ENV = f"""
AUTH_INIT_URL=https://webexapis.com/v1/authorize?{urlencode(QUERY)}
CLIENT_SECRET={"0123456789abcdef" * 4}
WEBEX_STORE_URL=sqlite:////nowhere/vault.sqlite
WEBEX_PERSON=somebody
"""


@pytest.mark.parametrize("is_in_conftest", [True, False])
def test_a_program_is_tested_unchanged_and_its_env_is_hidden(
    tmp_path: Path, *, is_in_conftest: bool
) -> None:
    (tmp_path / ".env").write_text(ENV)
    (tmp_path / ".env").chmod(0o600)
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "test_program.py").write_text(TESTS)
    if is_in_conftest:
        (tmp_path / "conftest.py").write_text('pytest_plugins = ["webex_oauth.testing"]\n')
    options = [] if is_in_conftest else ["-p", "webex_oauth.testing"]

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *options],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name not in NAMES},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )

    assert "3 passed" in ended.stdout, ended.stdout
    assert ended.returncode == 0


class BaseUrl:
    """A client of Flask that asks at *base_url*."""

    def __init__(self, client: FlaskClient, base_url: str) -> None:
        self._client, self._base_url = client, base_url

    def get(self, path: str, /, *, follow_redirects: bool) -> Any:
        return self._client.get(path, base_url=self._base_url, follow_redirects=follow_redirects)


class Lost:
    """A client of a program that leads nowhere."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def get(self, path: str, /, *, follow_redirects: bool) -> Any:
        url = self._origin + path
        return requests.get(url, allow_redirects=follow_redirects, timeout=LIMIT_SECONDS)


@pytest.fixture
def webex() -> Iterator[WebexEmulator]:
    with RunningEmulator() as running:
        registration = running.emulator.integration
        yield WebexEmulator(running.emulator, registration, registration.scopes)


def test_settings_and_tokens_serve_programs_without_a_sign_in(webex: WebexEmulator) -> None:
    issued = webex.tokens("luca@acme.example", "spark:people_read")
    with Integration(webex.settings) as integration:
        grant = integration.grants.adopt(
            Secret(issued.access_token.value), None, scopes=issued.grant.scopes
        )

        assert grant.email == "luca@acme.example"
        with webex.serving(integration):
            assert [one.email for one in integration.grants.list()] == [grant.email]
        assert list(integration.grants.list()) == []


def test_a_program_with_settings_of_its_own_is_served_unless_it_is_at_work(
    webex: WebexEmulator, tmp_path: Path
) -> None:
    app = Flask("program")
    other = Settings(
        client_id="C" + "0123456789abcdef" * 4,
        client_secret="0123456789abcdef" * 4,
        redirect_uri="https://app.example/auth/callback",
        scopes=["spark:rooms_read", "spark:people_read"],
        store_url=f"sqlite:///{tmp_path / 'vault'}",
        keys_file=tmp_path / "keys",
        proxy="http://proxy.example:3128",
    )
    door = WebexAuth(app, settings=other)

    for email in ("luca@acme.example", "mira@acme.example"):
        with webex.serving(door):
            client = app.test_client()
            back = webex.sign_in(BaseUrl(client, webex.base_url), email, return_to="/here")
            assert back.location == "/here"
            grant = door.integration.grants.one()
            assert grant.email == email
            assert grant.scopes >= set(other.scopes)
            issued = webex.tokens(email)
            door.integration.grants.adopt(
                Secret(issued.access_token.value), None, scopes=issued.grant.scopes
            )
    assert webex.base_url == "https://app.example"
    assert not (tmp_path / "vault").exists()
    door.integration.close()

    with (
        Integration(other) as at_work,
        pytest.raises(ConfigurationError, match=r"at work already.*https://webexapis\.com"),
        webex.serving(at_work),
    ):
        pass


def test_mistakes_of_a_test_are_told(webex: WebexEmulator) -> None:
    with pytest.raises(LookupError, match=r"nobody@acme\.example"):
        webex.revoke("nobody@acme.example")
    with pytest.raises(AssertionError, match=r"GET /login\?return_to=%2F does not lead to Webex"):
        webex.sign_in(Lost(webex.emulator.origin), "luca@acme.example")
