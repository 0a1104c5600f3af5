"""An access token near its end: refreshed once for everybody, and never lost by a failure."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from itertools import count
from pathlib import Path

import pytest
from journeys.acts import TOKEN_PATH, is_signed_in, shown_title, token_requests
from journeys.gate import Gate
from scene import Browser, Scene
from waiting import until

from webex_oauth.emulator import Action, Answer, Drop

CALLERS = 30
ALMOST_FOURTEEN_DAYS = 1_209_599 - 30
COOL_DOWN_SECONDS = 10
VARIABLES = {"WEBEX_IDLE_SECONDS": "7776000", "WEBEX_ABSOLUTE_SECONDS": "7776000"}
HOURS = count(start=0, step=2)
TRANSIENT: dict[str, Action] = {
    "500": Answer(status=500),
    "503": Answer(status=503, headers={"Retry-After": "9"}),
    "429": Answer(status=429, headers={"Retry-After": "9"}),
    "HTML": Answer(text="<html>", content_type="text/html"),
    "401": Answer(status=401, text='{"error": "invalid_client"}'),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("scene"), variables=VARIABLES) as scene:
        yield scene


@pytest.fixture
def scene(stage: Scene) -> Scene:
    """Begin hours after the test before: the application remembers a cool-down.

    The clock stands still: a cool-down may be one second.
    """
    stage.emulator.reset()
    stage.emulator.clock.stop()
    stage.emulator.clock.advance(next(HOURS) * 3_600)
    return stage


@pytest.fixture
def browser(scene: Scene) -> Browser:
    """Open a browser whose access token ends in half a minute."""
    browser = scene.signed_in()
    scene.emulator.clock.advance(ALMOST_FOURTEEN_DAYS)
    scene.emulator.journal.clear()
    return browser


def test_a_token_near_its_end_is_refreshed_before_it_is_used(
    scene: Scene, browser: Browser
) -> None:
    assert browser.get("/listrooms").status_code == 200
    assert browser.get("/listrooms").status_code == 200

    (refresh,) = scene.emulator.journal.matching("POST", TOKEN_PATH)
    assert refresh.form_by_name["grant_type"] == "refresh_token"
    assert {entry.status for entry in scene.emulator.journal.matching("GET", "/v1/*")} == {200}


def test_a_token_that_lives_is_not_refreshed(scene: Scene) -> None:
    browser = scene.signed_in()
    scene.emulator.journal.clear()

    browser.get("/listrooms")

    assert token_requests(scene) == 0


def test_concurrent_requests_share_one_refresh(tmp_path: Path) -> None:
    gate = Gate()
    gate.open()
    with (
        Scene(tmp_path, variables=VARIABLES, around_transport=gate.around) as scene,
        ThreadPoolExecutor(CALLERS) as pool,
    ):
        cookies = scene.signed_in().http.cookies
        scene.emulator.clock.advance(ALMOST_FOURTEEN_DAYS)
        scene.emulator.journal.clear()
        gate.shut()
        visits = [pool.submit(visit_spaces, scene, cookies) for _ in range(CALLERS)]
        gate.wait_for_arrival()
        gate.open()

        assert {visit.result() for visit in visits} == {200}
        assert token_requests(scene) == 1


def visit_spaces(scene: Scene, cookies: CookieJar) -> int:
    twin = scene.browser()
    twin.http.cookies.update(cookies)
    return twin.get("/listrooms").status_code


def test_a_refresh_that_rotates_the_refresh_token_is_followed(
    scene: Scene, browser: Browser
) -> None:
    scene.emulator.change_options(refresh_mode="rotate")
    browser.get("/listrooms")
    scene.emulator.clock.advance(ALMOST_FOURTEEN_DAYS)

    assert browser.get("/listrooms").status_code == 200

    first, second = scene.emulator.journal.matching("POST", TOKEN_PATH)
    assert first.form_by_name["refresh_token"] != second.form_by_name["refresh_token"]
    assert (first.status, second.status) == (200, 200)


def test_an_answer_without_refresh_token_keeps_the_old_one(scene: Scene, browser: Browser) -> None:
    scene.emulator.change_options(is_refresh_token_omitted_on_refresh=True)
    browser.get("/listrooms")
    scene.emulator.clock.advance(ALMOST_FOURTEEN_DAYS)

    assert browser.get("/listrooms").status_code == 200

    first, second = scene.emulator.journal.matching("POST", TOKEN_PATH)
    assert first.form_by_name["refresh_token"] == second.form_by_name["refresh_token"]


def test_a_refused_refresh_after_the_end_of_the_token_asks_to_sign_in_again(
    scene: Scene, browser: Browser
) -> None:
    scene.emulator.tokens.clear()
    scene.emulator.clock.advance(60)

    page = browser.get("/listrooms?filter=a")

    assert (page.status_code, shown_title(page)) == (401, "Please sign in again")
    assert 'value="/listrooms?filter=a"' in page.text
    assert token_requests(scene) == 1
    again = browser.get("/listrooms")
    assert again.status_code == 401
    assert token_requests(scene) == 1, "a refused refresh token must not be tried again"


def test_signing_in_again_after_a_refused_refresh_heals(scene: Scene, browser: Browser) -> None:
    scene.emulator.tokens.clear()
    scene.emulator.clock.advance(60)
    browser.get("/listrooms")

    assert browser.sign_in().status_code == 303

    assert browser.get("/listrooms").status_code == 200


@pytest.mark.parametrize("name", TRANSIENT)
def test_a_passing_failure_while_the_old_token_lives_is_never_noticed(
    scene: Scene, browser: Browser, name: str
) -> None:
    scene.emulator.faults.add("POST", TOKEN_PATH, TRANSIENT[name])

    assert browser.get("/listrooms").status_code == 200
    assert browser.get("/listrooms").status_code == 200
    assert token_requests(scene) == 1, "nobody asks again before the cool-down is over"
    scene.emulator.clock.advance(COOL_DOWN_SECONDS)
    assert browser.get("/listrooms").status_code == 200

    assert token_requests(scene) == 2


def test_an_answer_that_is_lost_once_is_asked_for_again_at_once(
    scene: Scene, browser: Browser
) -> None:
    scene.emulator.faults.add("POST", TOKEN_PATH, Drop())

    assert browser.get("/listrooms").status_code == 200

    assert token_requests(scene) == 2


@pytest.mark.parametrize("name", TRANSIENT)
def test_a_passing_failure_after_the_end_says_try_later_and_loses_nothing(
    scene: Scene, browser: Browser, name: str
) -> None:
    scene.emulator.clock.advance(60)
    scene.emulator.faults.add("POST", TOKEN_PATH, TRANSIENT[name])

    page = browser.get("/listrooms")

    assert page.status_code in {429, 502}
    assert "sign in again" not in page.text.lower()
    assert is_signed_in(browser)
    again = browser.get("/listrooms")
    assert again.status_code in {429, 503}
    assert 1 <= int(again.headers["retry-after"]) <= COOL_DOWN_SECONDS
    scene.emulator.clock.advance(COOL_DOWN_SECONDS)
    assert browser.get("/listrooms").status_code == 200
    assert token_requests(scene) == 2


@pytest.mark.parametrize("stated", ["7200", "junk"])
def test_a_throttled_refresh_says_when_to_come_back(
    scene: Scene, browser: Browser, stated: str
) -> None:
    scene.emulator.clock.advance(60)
    answer = Answer(status=429, headers={"Retry-After": stated})
    scene.emulator.faults.add("POST", TOKEN_PATH, answer)

    page = browser.get("/listrooms")

    assert page.status_code == 429
    assert 1 <= int(page.headers["retry-after"]) <= 3_600


def test_a_token_in_its_last_days_is_renewed_while_nobody_waits(scene: Scene) -> None:
    browser = scene.signed_in()
    (asked_who,) = scene.emulator.journal.matching("GET", "/v1/people/me")
    scene.emulator.clock.advance(1_209_599 * 96 // 100)
    scene.emulator.journal.clear()

    assert browser.get("/listrooms").status_code == 200
    first, *_ = scene.emulator.journal.matching("GET", "/v1/rooms")
    assert first.authorization == asked_who.authorization
    scene.emulator.journal.wait_for("POST", TOKEN_PATH)

    def another_token_was_used() -> bool:
        assert browser.get("/listrooms").status_code == 200
        return len(tokens_used(scene)) == 2

    until(another_token_was_used)
    assert token_requests(scene) == 1


def tokens_used(scene: Scene) -> set[str]:
    return {entry.authorization for entry in scene.emulator.journal.matching("GET", "/v1/rooms")}


def test_after_ninety_days_without_use_the_person_signs_in_again(scene: Scene) -> None:
    browser = scene.signed_in()
    scene.emulator.journal.clear()
    scene.emulator.clock.advance(7_775_999)

    page = browser.get("/listrooms")

    assert (page.status_code, shown_title(page)) == (401, "Please sign in again")
    # The clock alone ends no grant: Webex is asked once, and refuses.
    assert token_requests(scene) == 1
