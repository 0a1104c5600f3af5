"""The end of a grant: warned of before, explained afterwards, and mended by one sign-in."""

from collections.abc import Iterator

import pytest
from journeys.acts import offered_return_to, said, shown_title
from scene import Browser, Scene

from webex_oauth.emulator import Answer

pytestmark = pytest.mark.check("B13")

ACCESS_SECONDS = 60
REFRESH_SECONDS = 1_200
TOKEN_PATH = "/v1/access_token"
DOWN = Answer(status=503)


@pytest.fixture
def browser(scene: Scene) -> Iterator[Browser]:
    """Sign in for twenty minutes; then nothing can be renewed."""
    scene.emulator.change_options(
        access_token_lifetime_seconds=ACCESS_SECONDS,
        refresh_token_lifetime_seconds=REFRESH_SECONDS,
    )
    browser = scene.signed_in()
    scene.emulator.faults.add("POST", TOKEN_PATH, DOWN, times=None)
    yield browser
    scene.emulator.faults.clear()
    browser.post("/disconnect", {"csrf_token": browser.csrf_token()})


def test_nothing_is_said_while_there_is_time(scene: Scene, browser: Browser) -> None:
    scene.emulator.clock.advance(900)

    page = said(browser.get("/"))

    assert "access ends soon" not in page
    assert "access has ended" not in page


def test_the_persons_page_warns_near_the_end(scene: Scene, browser: Browser) -> None:
    scene.emulator.clock.advance(REFRESH_SECONDS - 100)

    page = browser.get("/")

    assert page.status_code == 200
    assert "This application's access ends soon" in said(page)
    assert offered_return_to(page) == "/"


def test_past_the_end_a_sign_in_brings_everything_back(scene: Scene, browser: Browser) -> None:
    scene.emulator.clock.advance(REFRESH_SECONDS + 1)
    scene.emulator.faults.clear()

    ended, home = browser.get("/listrooms"), browser.get("/")

    assert (ended.status_code, shown_title(ended)) == (401, "Please sign in again")
    assert "did not use its access" in said(ended)
    assert offered_return_to(ended) == "/listrooms"
    assert "This application's access has ended" in said(home)
    assert browser.sign_in(return_to="/listrooms").headers["location"] == "/listrooms"
    assert browser.get("/listrooms").status_code == 200
    assert "access has ended" not in said(browser.get("/"))


def test_a_refusal_to_renew_is_told_as_one(scene: Scene, browser: Browser) -> None:
    scene.emulator.clock.advance(ACCESS_SECONDS + 1)
    scene.emulator.faults.clear()
    refused = Answer(status=400, text='{"error": "invalid_grant"}')
    scene.emulator.faults.add("POST", TOKEN_PATH, refused, times=None)

    page = browser.get("/listrooms")

    assert (page.status_code, shown_title(page)) == (401, "Please sign in again")
    assert "refused to renew" in said(page)
