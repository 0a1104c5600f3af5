"""The redirect URI is the configured one, whatever a request claims about its host."""

import pytest
from journeys.acts import TOKEN_PATH, parameter
from scene import Scene

from webex_oauth.emulator import VisitRefused

SPOOFED = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Prefix": "/evil",
    "X-Original-URL": "/evil",
    "Forwarded": "host=evil.example;proto=https",
}
"""Each alone is tried by `edges/test_hosts.py`."""


@pytest.mark.check("A12")
def test_proxy_headers_of_a_stranger_change_nothing(scene: Scene) -> None:
    browser = scene.browser()

    answer = browser.post("/login", {"return_to": "/"}, headers=SPOOFED)

    assert answer.status_code == 303
    url = answer.headers["location"]
    assert parameter(url, "redirect_uri") == scene.settings.client.redirect_uri
    assert "evil" not in url
    back = browser.follow(browser.consent(url), headers=SPOOFED)
    assert back.headers["location"] == "/"


@pytest.mark.check("A12")
def test_the_token_request_names_the_same_redirect_uri(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.start()

    browser.follow(browser.consent(url))

    (exchange,) = scene.emulator.journal.matching("POST", TOKEN_PATH)
    assert exchange.form_by_name["redirect_uri"] == parameter(url, "redirect_uri")
    assert exchange.form_by_name["redirect_uri"] == f"{scene.origin}/oauth"


@pytest.mark.check("A12")
@pytest.mark.parametrize(
    ("written", "changed"),
    [
        ("%2Foauth&", "%2Foauth%2F&"),
        ("%2Foauth&", "%2FOAUTH&"),
        ("%2Foauth&", "%2Foauth%3Fx%3D1&"),
        ("%2F%2Flocalhost", "%2F%2Fuser%40localhost"),
        ("%2F%2Flocalhost", "%2F%2F127.0.0.1"),
    ],
)
def test_webex_takes_no_other_spelling_of_the_redirect_uri(
    scene: Scene, written: str, changed: str
) -> None:
    browser = scene.browser()
    url = browser.start()
    assert written in url

    with pytest.raises(VisitRefused) as refusal:
        browser.consent(url.replace(written, changed))

    assert refusal.value.status == 400
