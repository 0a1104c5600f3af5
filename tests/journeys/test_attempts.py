"""Attempts end after ten minutes, are bounded, and stay with the configuration they began under."""

from pathlib import Path

import pytest
from canary import Canaries
from failing_rows import FailingRows
from journeys.acts import held, is_signed_in, offered_return_to, shown_title, token_requests
from ledgers import marks
from scene import Browser, Scene

from webex_oauth.flows.cookies import CookieJar
from webex_oauth.flows.sign_in import read_return_to
from webex_oauth.settings import changed

ELEVEN_MINUTES = 660
STARTS = 1_000
STARTS_IN_ONE_BROWSER = 40
MOST_COOKIE_BYTES = 6_144
MOST_BYTES_OF_A_COOKIE = 4_096
MAX_NOW = 2**40


@pytest.mark.check("A05")
def test_an_attempt_works_until_its_last_second(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start())
    scene.emulator.clock.advance(590)

    assert browser.follow(url).status_code == 303


@pytest.mark.check("A05")
def test_a_browser_keeps_eight_attempts_and_a_short_cookie_header(scene: Scene) -> None:
    browser = scene.browser()

    urls = []
    for _ in range(STARTS_IN_ONE_BROWSER):
        scene.emulator.clock.advance(1)
        urls.append(browser.start())

    cookies = [f"{cookie.name}={cookie.value}" for cookie in browser.http.cookies]
    assert len(cookies) == 8
    assert len("; ".join(cookies)) < MOST_COOKIE_BYTES
    assert browser.follow(browser.consent(urls[0])).status_code == 400
    assert browser.follow(browser.consent(urls[-8])).status_code == 303


@pytest.mark.check("A04", "A05")
def test_browsers_keep_the_cookie_whatever_is_asked_and_wherever_it_leads(tmp_path: Path) -> None:
    scopes = tuple(f"spark-admin:something_{number}_read" for number in range(100))
    with Scene(
        tmp_path,
        public_uri="https://spaces.example/oauth",
        change_settings=lambda settings: changed(settings, scopes=scopes),
    ) as scene:
        started = scene.integration.sign_in.begin(read_return_to("/" + "a" * 1_999))
        jar = CookieJar(scene.settings.client)
        (cookie,) = jar.kept_attempt({}, started.attempt_id, started.attempt, MAX_NOW)

    assert len(cookie.partition(";")[0]) < MOST_BYTES_OF_A_COOKIE


@pytest.mark.check("A05", "H11")
def test_a_flood_of_starts_writes_nothing_and_leaves_others_alone(tmp_path: Path) -> None:
    rows = FailingRows()
    with Scene(tmp_path, canaries=Canaries(), rows=rows) as scene:
        browser, flooder = scene.browser(), scene.browser()
        url = browser.consent(browser.start())
        changes_before = rows.change_count
        for _ in range(STARTS):
            flooder.post("/login", {"return_to": "/"})

        assert rows.change_count == changes_before
        assert held(scene, marks) == []
        assert browser.follow(url).status_code == 303


@pytest.mark.check("A09")
def test_an_attempt_begun_at_one_webex_is_not_redeemed_at_another(tmp_path: Path) -> None:
    with Scene(tmp_path) as first, Scene(tmp_path) as second:
        browser = first.browser()
        url = browser.consent(browser.start("/listrooms"))
        browser.scene = second
        bring_cookies(browser, first, second)

        answer = browser.follow(url.replace(first.origin, second.origin))

        assert answer.status_code == 400
        assert shown_title(answer) == "This sign-in has expired"
        assert offered_return_to(answer) == "/listrooms"
        assert token_requests(first) == 0
        assert token_requests(second) == 0
        assert not is_signed_in(browser)


def bring_cookies(browser: Browser, first: Scene, second: Scene) -> None:
    """Present the first application's attempt to the second, under the name that it looks for."""
    before, after = (CookieJar(scene.settings.client).attempt_prefix for scene in (first, second))
    for name, value in browser.http.cookies.get_dict().items():
        browser.http.cookies.set(name.replace(before, after), value)


@pytest.mark.check("A08")
def test_a_callback_that_names_another_issuer_is_refused(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start())

    answer = browser.follow(f"{url}&iss=https%3A%2F%2Fevil.example")

    assert answer.status_code == 400
    assert shown_title(answer) == "The answer came from somewhere else"
    assert token_requests(scene) == 0


@pytest.mark.check("A08")
def test_a_callback_that_names_the_right_issuer_is_taken(scene: Scene) -> None:
    scene.emulator.change_options(callback_issuer=scene.settings.platform.server.issuer)
    browser = scene.browser()

    url = browser.consent(browser.start())

    assert "iss=" in url
    assert browser.follow(url).status_code == 303
