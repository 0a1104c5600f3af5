"""Attempts end after ten minutes, are bounded, and stay with the configuration they began under."""

from pathlib import Path

import pytest
from canary import Canaries
from journeys.acts import (
    is_signed_in,
    offered_return_to,
    rows,
    run_inside,
    shown_title,
    token_requests,
)
from scene import Browser, Scene

from webex_oauth.flows.return_to import HOME
from webex_oauth.web.cookies import CookieJar

ELEVEN_MINUTES = 660
STARTS = 10_000
STARTS_IN_ONE_BROWSER = 40
MOST_COOKIE_BYTES = 2_048
MOST_STORE_BYTES = 48 * 1024 * 1024


@pytest.mark.check("A05")
def test_an_attempt_is_over_after_ten_minutes(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.consent(browser.start("/listrooms"))
    scene.emulator.clock.advance(ELEVEN_MINUTES)

    answer = browser.follow(url)

    assert answer.status_code == 400
    assert shown_title(answer) == "This sign-in has expired"
    assert offered_return_to(answer)
    assert token_requests(scene) == 0


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


@pytest.mark.check("A05")
@pytest.mark.timeout(120)
def test_a_flood_of_starts_leaves_others_alone_and_goes_away(tmp_path: Path) -> None:
    async def flood(count: int) -> None:
        for _ in range(count):
            scene.integration.sign_in.begin(HOME)

    with Scene(tmp_path, canaries=Canaries()) as scene:
        browser = scene.browser()
        url = browser.consent(browser.start())
        run_inside(scene, flood(STARTS))
        size_bytes = sum(path.stat().st_size for path in scene.data_folder.iterdir())
        answer = browser.follow(url)
        scene.emulator.clock.advance(ELEVEN_MINUTES)
        run_inside(scene, flood(1))

        assert answer.status_code == 303
        assert size_bytes < MOST_STORE_BYTES
        assert len(rows(scene, "SELECT state FROM attempts")) < STARTS / 10


@pytest.mark.check("A09")
def test_an_attempt_begun_at_one_webex_is_not_redeemed_at_another(tmp_path: Path) -> None:
    with Scene(tmp_path) as first, Scene(tmp_path) as second:
        browser = first.browser()
        url = browser.consent(browser.start("/listrooms"))
        browser.scene = second
        bring_cookies(browser, first, second)

        answer = browser.follow(url.replace(first.origin, second.origin))

        assert answer.status_code == 400
        assert shown_title(answer) == "The answer came from somewhere else"
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
