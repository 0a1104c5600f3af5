"""Signing out: here first, then at Webex, in bounded time, and for this browser alone."""

import time

import pytest
from journeys.acts import grant_keys, is_signed_in
from scene import JONAS, Scene
from waiting import SLACK_SECONDS

from webex_oauth.emulator import Action, Answer, Drop, Hang, Reset

REVOCATION_PATH = "*/revoke"
REVOCATION_SECONDS = 2.0
TROUBLE: dict[str, Action] = {
    "hanging": Hang(),
    "dropped": Drop(),
    "reset": Reset(),
    "500": Answer(status=500),
    "503": Answer(status=503, headers={"Retry-After": "600"}),
    "400": Answer(status=400, text='{"error": "unsupported_token_type"}'),
    "HTML": Answer(status=502, text="<html>", content_type="text/html"),
}


@pytest.mark.check("D05")
def test_signing_out_ends_the_session_and_revokes_both_tokens(scene: Scene) -> None:
    browser = scene.signed_in(JONAS)
    cookies = browser.http.cookies.copy()

    page = browser.sign_out()

    assert page.status_code == 200
    revocations = scene.emulator.journal.matching("POST", REVOCATION_PATH)
    hints = [entry.form_by_name["token_type_hint"] for entry in revocations]
    assert hints == ["refresh_token", "access_token"]
    assert page.headers["clear-site-data"] == '"cache", "storage"'
    assert not browser.http.cookies
    browser.http.cookies.update(cookies)
    assert browser.get("/listrooms").status_code == 401


@pytest.mark.check("D05")
def test_the_tokens_are_dead_at_webex_and_gone_here(scene: Scene) -> None:
    browser = scene.signed_in(JONAS)
    grants = len(grant_keys(scene))

    browser.sign_out()

    jonas = scene.emulator.world.person_by_email(JONAS)
    assert jonas
    client_id = scene.settings.client.client_id
    assert not scene.emulator.tokens.has_grant(client_id, jonas, ())
    assert len(grant_keys(scene)) == grants - 1


@pytest.mark.check("D05")
def test_a_get_or_a_form_of_another_page_signs_nobody_out(scene: Scene) -> None:
    browser, other = scene.signed_in(), scene.signed_in(JONAS)

    statuses = [
        browser.get("/logout").status_code,
        browser.post("/logout", {}).status_code,
        browser.post("/logout", {"csrf_token": "x" * 64}).status_code,
        browser.post("/logout", {"csrf_token": other.csrf_token()}).status_code,
        browser.post(
            "/logout",
            {"csrf_token": browser.csrf_token()},
            headers={"origin": "http://evil.example", "sec-fetch-site": "cross-site"},
        ).status_code,
    ]

    assert statuses == [200, 403, 403, 403, 403]
    assert is_signed_in(browser)
    assert [browser.sign_out().status_code, other.sign_out().status_code] == [200, 200]


@pytest.mark.parametrize("name", TROUBLE)
def test_signing_out_works_in_two_seconds_whatever_webex_does(scene: Scene, name: str) -> None:
    browser = scene.signed_in(JONAS)
    csrf_token = browser.csrf_token()
    scene.emulator.faults.add("POST", REVOCATION_PATH, TROUBLE[name], times=None)
    began = time.monotonic()

    page = browser.post("/logout", {"csrf_token": csrf_token})

    assert time.monotonic() - began < REVOCATION_SECONDS + SLACK_SECONDS
    assert page.status_code == 200
    assert not is_signed_in(browser)


def test_the_page_says_what_became_of_the_tokens(scene: Scene) -> None:
    first, second, third = (scene.signed_in(JONAS) for _ in range(3))

    assert "still signed in with another browser" in first.sign_out().text
    scene.emulator.faults.add("POST", REVOCATION_PATH, Answer(status=500), times=None)
    assert "still signed in with another browser" in second.sign_out().text
    assert "did not confirm in time" in third.sign_out().text
    scene.emulator.faults.clear()
    assert "Webex has confirmed" in scene.signed_in(JONAS).sign_out().text


def test_with_another_session_of_the_person_the_tokens_live_on(scene: Scene) -> None:
    first, second = scene.signed_in(JONAS), scene.signed_in(JONAS)
    scene.settle()
    scene.emulator.journal.clear()

    first.sign_out()

    assert scene.emulator.journal.count("POST", REVOCATION_PATH) == 0
    assert second.get("/listrooms").status_code == 200
    second.sign_out()
    assert scene.emulator.journal.count("POST", REVOCATION_PATH) == 2


def test_signing_out_twice_is_no_error(scene: Scene) -> None:
    browser = scene.signed_in()
    csrf_token, cookies = browser.csrf_token(), browser.http.cookies.copy()
    browser.post("/logout", {"csrf_token": csrf_token})
    browser.http.cookies.update(cookies)

    again = browser.post("/logout", {"csrf_token": csrf_token})

    assert again.status_code == 401
    assert scene.emulator.journal.count("POST", REVOCATION_PATH) == 2
