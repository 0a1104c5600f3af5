"""Webex's API in trouble: the person is told honestly, stays signed in, and nothing is lost."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from journeys.acts import (
    TOKEN_PATH,
    grant_keys,
    is_signed_in,
    run_inside,
    said,
    shown_title,
    token_requests,
)
from journeys.hostile_answers import JUNK
from msgspec.structs import replace
from scene import JONAS, Browser, Scene
from waiting import SLACK_SECONDS

from webex_oauth.emulator import (
    Action,
    Answer,
    Drop,
    GzipBomb,
    Hang,
    Huge,
    NextLink,
    Reset,
    Slow,
    Truncate,
)
from webex_oauth.errors import InvalidResponse
from webex_oauth.flows.person_api import spaces
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits, Transport

ROOMS_PATH = "/v1/rooms"
UNREADABLE = "Webex's answer made no sense"
JSON_ERROR = '{"message": "no", "errors": [{"description": "no"}], "trackingId": "ROUTER_1-2"}'
ANSWERS: dict[str, tuple[Action, int, str]] = {
    "403": (Answer(status=403, text=JSON_ERROR), 403, "Webex does not allow this"),
    "404": (Answer(status=404, text=JSON_ERROR), 404, "Not found at Webex"),
    "400": (Answer(status=400, text=JSON_ERROR), 502, "Webex refused the request"),
    "409": (Answer(status=409, text=JSON_ERROR), 502, "Webex refused the request"),
    "500": (Answer(status=500, text="<h1>", content_type="text/html"), 502, "Webex had a problem"),
    "502": (Answer(status=502), 502, "Webex had a problem"),
    "503": (Answer(status=503, text=JSON_ERROR), 502, "Webex had a problem"),
    "429": (Answer(status=429, text="<html>slow</html>"), 429, "Webex asks us to slow down"),
    "302": (Answer(status=302, headers={"Location": "//evil.example"}), 502, UNREADABLE),
    "reset": (Reset(), 502, "Webex could not be reached"),
    "dropped": (Drop(), 502, "Webex could not be reached"),
    "cut short": (Truncate(30), 502, "Webex could not be reached"),
    "huge": (Huge(16 * 1024 * 1024), 502, UNREADABLE),
    "a gzip bomb": (GzipBomb(64 * 1024 * 1024), 502, UNREADABLE),
}
ROOM_JUNK = {
    **{name: answer for name, answer in JUNK.items() if answer.status == 200},
    "items that are a text": Answer(text='{"items": "rooms"}'),
    "more rooms than were asked for": Answer(text=f'{{"items": [{"7," * 1_000}7]}}'),
    "items that are null": Answer(text='{"items": null}'),
    "items without ids": Answer(text='{"items": [{"title": "a"}]}'),
    "items that are numbers": Answer(text='{"items": [1, 2]}'),
    "an id that is a number": Answer(text='{"items": [{"id": 7, "title": "a"}]}'),
}


class ImpatientTransport:
    """Return up after a moment, as the real one does after twenty seconds."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        return await self._inner.send(request, replace(limits, deadline_seconds=0.5))


@pytest.fixture(scope="module")
def browser(stage: Scene) -> Browser:
    return stage.signed_in()


@pytest.fixture
def quiet(stage: Scene) -> Iterator[Scene]:
    """Return the scene without faults and entries, its tokens alive."""
    stage.emulator.faults.clear()
    stage.emulator.journal.clear()
    yield stage
    stage.emulator.faults.clear()


@pytest.mark.check("G03")
@pytest.mark.parametrize("name", ANSWERS)
def test_every_failure_of_the_api_has_its_page(quiet: Scene, browser: Browser, name: str) -> None:
    action, status, title = ANSWERS[name]
    quiet.emulator.faults.add("GET", ROOMS_PATH, action, times=None)

    page = browser.get("/listrooms")

    assert (page.status_code, shown_title(page)) == (status, title)
    assert token_requests(quiet) == 0
    quiet.emulator.faults.clear()
    assert browser.get("/listrooms").status_code == 200


@pytest.mark.check("G03", "G06")
@pytest.mark.parametrize("name", ROOM_JUNK)
def test_an_unusable_list_of_rooms_is_not_shown(quiet: Scene, browser: Browser, name: str) -> None:
    quiet.emulator.faults.add("GET", ROOMS_PATH, ROOM_JUNK[name], times=None)

    page = browser.get("/listrooms")

    assert (page.status_code, shown_title(page)) == (502, UNREADABLE)
    assert is_signed_in(browser)


@pytest.mark.check("G03")
@pytest.mark.parametrize("name", [*JUNK])
def test_a_sign_in_ends_in_a_page_when_webex_cannot_say_who_it_is(quiet: Scene, name: str) -> None:
    quiet.emulator.faults.add("GET", "/v1/people/me", JUNK[name], times=None)
    stranger = quiet.browser()

    page = stranger.sign_in()

    assert page.status_code == 502
    assert not is_signed_in(stranger)


@pytest.mark.check("G01")
@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("7", range(7, 8)),
        ("0", range(1, 61)),
        (None, range(1, 61)),
        ("-5", range(1, 61)),
        ("soon", range(1, 61)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", range(1, 61)),
        ("9" * 30, range(60, 3_601)),
    ],
)
def test_a_throttled_page_says_when_to_come_back_and_asks_webex_once(
    quiet: Scene, browser: Browser, stated: str | None, seconds: range
) -> None:
    answer = Answer(status=429, headers={"Retry-After": stated} if stated else {})
    quiet.emulator.faults.add("GET", ROOMS_PATH, answer, times=None)

    page = browser.get("/listrooms")

    assert page.status_code == 429
    assert int(page.headers["retry-after"]) in seconds
    assert quiet.emulator.journal.count("GET", ROOMS_PATH) == 1


@pytest.mark.check("G05")
@pytest.mark.parametrize("action", [Hang(), Slow(1, 0.1)], ids=["hanging", "dribbling"])
def test_a_page_does_not_wait_longer_than_the_deadline(tmp_path: Path, action: Action) -> None:
    with Scene(tmp_path, around_transport=ImpatientTransport) as scene:
        browser = scene.signed_in()
        scene.emulator.faults.add("GET", ROOMS_PATH, action)
        began = time.monotonic()

        page = browser.get("/listrooms")

        assert (page.status_code, shown_title(page)) == (504, "Webex took too long")
        assert time.monotonic() - began < SLACK_SECONDS
        assert is_signed_in(browser)


@pytest.mark.check("G10")
@pytest.mark.parametrize("to", ["self", "foreign"])
def test_a_list_that_leads_astray_ends_with_a_clear_message(
    quiet: Scene, browser: Browser, to: str
) -> None:
    link = NextLink("self") if to == "self" else NextLink("foreign")
    quiet.emulator.faults.add("GET", ROOMS_PATH, link, times=None)

    page = browser.get("/listrooms")

    assert UNREADABLE in said(page)
    assert quiet.emulator.journal.count("GET", ROOMS_PATH) <= 3


@pytest.mark.check("G10")
@pytest.mark.parametrize("to", ["endless", "empty"])
def test_a_list_without_end_is_ended(tmp_path: Path, to: str) -> None:
    async def read_all() -> None:
        async for _ in spaces(scene.integration.api(key)):
            pass

    with Scene(tmp_path) as scene:
        scene.signed_in()
        (key,) = grant_keys(scene)
        link = NextLink("endless") if to == "endless" else NextLink("empty")
        scene.emulator.faults.add("GET", ROOMS_PATH, link, times=None)

        with pytest.raises(InvalidResponse, match="more than 1000 pages"):
            run_inside(scene, read_all())

        assert scene.emulator.journal.count("GET", ROOMS_PATH) <= 1_001


class LeakServer(BaseHTTPRequestHandler):
    """Another origin that would gladly take a token."""

    visits: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.visits.append(self.headers.get("Authorization", "none"))
        self.send_response(200)
        self.end_headers()


@pytest.fixture
def leak_server() -> Iterator[ThreadingHTTPServer]:
    LeakServer.visits.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), LeakServer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.check("B04")
@pytest.mark.parametrize("how", ["link", "redirect"])
def test_a_token_never_goes_to_another_origin(
    quiet: Scene, browser: Browser, leak_server: ThreadingHTTPServer, how: str
) -> None:
    origin = f"http://127.0.0.1:{leak_server.server_port}"
    actions: dict[str, Action] = {
        "link": NextLink("foreign", foreign_origin=origin),
        "redirect": Answer(status=302, headers={"Location": f"{origin}/v1/rooms"}),
    }
    quiet.emulator.faults.add("GET", ROOMS_PATH, actions[how], times=None)

    page = browser.get("/listrooms")

    assert UNREADABLE in said(page)
    assert LeakServer.visits == []


@pytest.mark.check("B04")
def test_a_token_is_in_the_header_only(quiet: Scene, browser: Browser) -> None:
    browser.get("/listrooms")

    entries = quiet.emulator.journal.matching("GET", "/v1/*")
    assert entries
    assert all(entry.authorization.startswith("Bearer sha256:") for entry in entries)
    assert all("access_token" not in dict(entry.query) for entry in entries)


@pytest.mark.check("B05")
def test_an_api_that_always_says_401_is_asked_twice_and_refreshed_once(quiet: Scene) -> None:
    browser = quiet.signed_in(JONAS)
    quiet.emulator.journal.clear()
    quiet.emulator.faults.add("GET", ROOMS_PATH, Answer(status=401, text=JSON_ERROR), times=None)

    page = browser.get("/listrooms?filter=a")

    assert (page.status_code, shown_title(page)) == (401, "Please sign in again")
    assert 'value="/listrooms?filter=a"' in page.text
    assert quiet.emulator.journal.count("GET", ROOMS_PATH) == 2
    assert quiet.emulator.journal.count("POST", TOKEN_PATH) == 1


@pytest.mark.check("B05")
def test_a_401_that_a_refresh_heals_is_never_noticed(quiet: Scene, browser: Browser) -> None:
    quiet.emulator.faults.add("GET", ROOMS_PATH, Answer(status=401, text=JSON_ERROR))

    page = browser.get("/listrooms")

    assert page.status_code == 200
    assert token_requests(quiet) == 1


def test_a_list_that_breaks_in_the_middle_shows_what_came_and_says_so(
    quiet: Scene, browser: Browser
) -> None:
    quiet.emulator.faults.add("GET", ROOMS_PATH, Answer(status=500), after=1, times=None)

    page = browser.get("/listrooms")

    assert page.status_code == 200
    assert page.text.count("<tr") > 100
    assert "Webex had a problem" in page.text
