"""Logout ends the browser's session and leads only to where an integration lives."""

import re
from urllib.parse import urlencode

import pytest
from emulator.wire import Wire

from webex_oauth.emulator import Emulator

PATH = "/idb/oauth2/v1/logout"


@pytest.mark.parametrize("goto", ["http://localhost:8080/", "http://localhost:8080/bye?a=b"])
def test_a_registered_origin_is_gone_to(wire: Wire, goto: str) -> None:
    answer = wire.get(f"{PATH}?{urlencode({'goto': goto})}")

    assert (answer.status, answer.location) == (302, goto)


@pytest.mark.parametrize(
    "goto",
    [
        "https://evil.example/",
        "//evil.example/",
        "http://localhost:8081/",
        "https://localhost:8080/",
        "http://localhost:8080@evil.example/",
        "http://user@localhost:8080/",
        "http://localhost:8080\\.evil.example/",
        "http://localhost:8080/\r\nSet-Cookie: a=b",
        "http://[::1/",
        "javascript:alert(1)",
        "/relative",
    ],
)
def test_every_other_place_is_not_gone_to(wire: Wire, goto: str) -> None:
    answer = wire.get(f"{PATH}?{urlencode({'goto': goto})}")

    assert answer.status == 200
    assert "Location" not in answer.headers
    assert "not followed" in answer.text


def test_without_a_place_to_go_a_page_says_so(wire: Wire) -> None:
    page = wire.get(PATH).text

    assert "signed out" in page
    assert "not followed" not in page


def test_a_signed_out_browser_is_asked_who_it_is(wire: Wire) -> None:
    transaction = re.findall(r'name="transaction" value="(.+)"', wire.authorize().text)[0]
    fields = {"transaction": transaction, "person": "mira@acme.example"}
    chosen = wire.post("/idb/oauth2/v1/authorize/person", fields)
    cookie = chosen.headers["Set-Cookie"].partition(";")[0]
    silent = wire.request_fields(prompt="none")
    before = wire.authorize(silent, Cookie=cookie).callback["error"]

    signed_out = wire.get(PATH, Cookie=cookie)

    assert before == "consent_required"
    assert wire.authorize(silent, Cookie=cookie).callback["error"] == "login_required"
    assert signed_out.headers["Set-Cookie"].startswith(cookie.partition("=")[0] + '="";')


def test_the_token_of_the_link_is_revoked(wire: Wire, token: str) -> None:
    wire.get(f"{PATH}?token={token}")

    assert wire.get("/v1/people/me", token).status == 401


def test_the_token_of_the_link_can_be_spared(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.change_options(logout_revokes_token=False)

    wire.get(f"{PATH}?token={token}")

    assert wire.get("/v1/people/me", token).status == 200
