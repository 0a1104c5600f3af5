"""The token endpoint answers a sign-in: badly, slowly, hostilely, or not at all."""

import time
import tracemalloc
from pathlib import Path

import pytest
from journeys.acts import (
    TOKEN_PATH,
    held,
    is_signed_in,
    offered_return_to,
    run_inside,
    shown_title,
    token_requests,
)
from journeys.hostile_answers import JUNK, ODD_TOKENS, WRONG_TOKENS
from ledgers import grants, sessions
from msgspec.structs import replace
from scene import Scene

from webex_oauth.emulator import (
    Action,
    AfterCommit,
    Answer,
    Drop,
    GzipBomb,
    Hang,
    Huge,
    Reset,
    Truncate,
)
from webex_oauth.errors import DeadlineExceeded, InvalidResponse
from webex_oauth.oauth.http import HttpRequest, HttpResponse, post_form
from webex_oauth.ports import TOKEN_LIMITS, Limits, Transport

UNREADABLE = "Webex's answer made no sense"
REFUSALS = {
    "a spent code": (Answer(status=400, text='{"error": "invalid_grant"}'), 400),
    "Webex's words for a spent code": (
        Answer(status=400, text='{"message": "The code is invalid.", "trackingId": "ROUTER_1"}'),
        400,
    ),
    "a wrong secret": (Answer(status=401, text='{"error": "invalid_client"}'), 502),
    "a wrong secret without a body": (Answer(status=401), 502),
    "no more tokens": (Answer(status=400, text='{"error": "tokenlimit_reached"}'), 502),
    "an unsupported grant": (Answer(status=400, text='{"error": "unsupported_grant_type"}'), 502),
    "a 500": (Answer(status=500, text="<h1>oops</h1>", content_type="text/html"), 502),
    "a 502": (Answer(status=502), 502),
    "a 503": (Answer(status=503, headers={"Retry-After": "7"}), 502),
    "a 408": (Answer(status=408), 502),
    "a 404": (Answer(status=404, text="not here", content_type="text/plain"), 502),
}
BREAKS: dict[str, tuple[Action, int]] = {
    "dropped": (Drop(), 502),
    "reset": (Reset(), 502),
    "cut short": (Truncate(20), 502),
    "done but dropped": (AfterCommit(Drop()), 502),
    "done but reset": (AfterCommit(Reset()), 502),
    "huge": (Huge(16 * 1024 * 1024), 502),
    "a gzip bomb": (GzipBomb(), 502),
}
SECONDS_BY_RETRY_AFTER = {
    "7": range(7, 8),
    "0": range(1, 61),
    "": range(1, 61),
    "-5": range(1, 61),
    "soon": range(1, 61),
    "Thu, 01 Jan 1970 00:00:00 GMT": range(1, 61),
    "99999999999999999999": range(60, 3_601),
}


def nothing_was_kept(scene: Scene) -> bool:
    """Return whether the store holds neither a grant nor a session."""
    return not held(scene, grants) and not held(scene, sessions)


@pytest.mark.check("B02", "G03", "G06")
@pytest.mark.parametrize("name", [*JUNK, *WRONG_TOKENS])
def test_an_unusable_token_answer_is_refused_whole(scene: Scene, name: str) -> None:
    answer = JUNK.get(name) or Answer(text=WRONG_TOKENS[name])
    scene.emulator.faults.add("POST", TOKEN_PATH, answer)
    browser = scene.browser()
    before = held(scene, grants)

    page = browser.sign_in(return_to="/listrooms")

    assert page.status_code == 502
    assert offered_return_to(page) == "/listrooms"
    assert held(scene, grants) == before
    assert not is_signed_in(browser)


@pytest.mark.check("B02", "G06")
@pytest.mark.parametrize("name", ODD_TOKENS)
def test_an_odd_token_answer_is_used_or_refused_and_breaks_nothing(scene: Scene, name: str) -> None:
    scene.emulator.faults.add("POST", TOKEN_PATH, Answer(text=ODD_TOKENS[name]))
    scene.emulator.faults.add(
        "GET", "/v1/people/me", Answer(text='{"id": "id-of-alice", "displayName": "Alice"}')
    )
    browser = scene.browser()

    page = browser.sign_in()

    assert page.status_code in {303, 502}
    home = browser.get("/")
    assert home.status_code == 200
    assert ("Alice" in home.text) == (page.status_code == 303)


@pytest.mark.check("B02")
@pytest.mark.parametrize(
    "name", ["a lower-case token type", "a lifetime that is a text", "no lifetime", "no token type"]
)
def test_what_specification_and_webex_allow_is_taken(scene: Scene, name: str) -> None:
    scene.emulator.faults.add("POST", TOKEN_PATH, Answer(text=ODD_TOKENS[name]))
    scene.emulator.faults.add("GET", "/v1/people/me", Answer(text='{"id": "id-of-alice"}'))

    assert scene.browser().sign_in().status_code == 303


@pytest.mark.check("B02")
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_of_the_token_endpoint_has_a_page(scene: Scene, name: str) -> None:
    answer, status = REFUSALS[name]
    scene.emulator.faults.add("POST", TOKEN_PATH, answer)
    browser = scene.browser()

    page = browser.sign_in(return_to="/listrooms")

    assert page.status_code == status
    assert shown_title(page) != UNREADABLE or name == "a 404"
    assert offered_return_to(page) == "/listrooms"
    assert token_requests(scene) == 1
    assert not is_signed_in(browser)


@pytest.mark.check("B03")
@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_exchange_has_a_page_and_the_next_try_works(scene: Scene, name: str) -> None:
    action, status = BREAKS[name]
    scene.emulator.faults.add("POST", TOKEN_PATH, action)
    browser = scene.browser()

    page = browser.sign_in(return_to="/listrooms")

    assert page.status_code == status
    assert offered_return_to(page) == "/listrooms"
    assert token_requests(scene) == 1
    assert browser.sign_in().status_code == 303


@pytest.mark.check("B03")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_the_token_endpoint_is_not_followed(scene: Scene, status: int) -> None:
    elsewhere = f"{scene.emulator.origin}/v1/elsewhere"
    answer = Answer(status=status, headers={"Location": elsewhere})
    scene.emulator.faults.add("POST", TOKEN_PATH, answer)

    page = scene.browser().sign_in()

    assert page.status_code == 502
    assert scene.emulator.journal.count("*", "/v1/elsewhere") == 0


@pytest.mark.check("G01")
@pytest.mark.parametrize("stated", SECONDS_BY_RETRY_AFTER)
def test_a_throttled_sign_in_says_when_to_come_back_and_asks_once(
    scene: Scene, stated: str
) -> None:
    headers = {"Retry-After": stated} if stated else {}
    answer = Answer(status=429, text="<html>", content_type="text/html", headers=headers)
    scene.emulator.faults.add("POST", TOKEN_PATH, answer, times=None)

    page = scene.browser().sign_in()

    assert page.status_code == 503
    assert int(page.headers["retry-after"]) in SECONDS_BY_RETRY_AFTER[stated]
    assert token_requests(scene) == 1


def send_to_token_endpoint(scene: Scene, deadline_seconds: float) -> tuple[BaseException, float]:
    """Ask the token endpoint; return the error and how long it took."""
    limits = Limits(deadline_seconds, TOKEN_LIMITS.max_body_bytes)
    request = post_form(f"{scene.emulator.origin}{TOKEN_PATH}", {"a": "b"}, {})
    began = time.monotonic()
    with pytest.raises((DeadlineExceeded, InvalidResponse)) as raised:
        run_inside(scene, scene.integration.context.transport.send(request, limits))
    return raised.value, time.monotonic() - began


@pytest.mark.check("B03", "G04")
@pytest.mark.parametrize("action", [Huge(64 * 1024 * 1024), GzipBomb(200 * 1024 * 1024)])
def test_an_answer_without_end_costs_no_memory(scene: Scene, action: Action) -> None:
    scene.emulator.faults.add("POST", TOKEN_PATH, action)

    tracemalloc.start()
    try:
        error, _ = send_to_token_endpoint(scene, deadline_seconds=20)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert isinstance(error, InvalidResponse)
    assert peak_bytes < 20 * 1024 * 1024


class ImpatientTransport:
    """Return up after a moment, as the real one does after ten seconds."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        return await self._inner.send(request, replace(limits, deadline_seconds=0.5))


@pytest.mark.check("B03", "G05")
def test_a_sign_in_that_takes_too_long_has_a_page(tmp_path: Path) -> None:
    with Scene(tmp_path, around_transport=ImpatientTransport) as scene:
        scene.emulator.faults.add("POST", TOKEN_PATH, Hang())

        page = scene.browser().sign_in(return_to="/listrooms")

        assert page.status_code == 504
        assert shown_title(page) == "Webex took too long"
        assert offered_return_to(page) == "/listrooms"
        assert nothing_was_kept(scene)


@pytest.mark.check("B02")
@pytest.mark.parametrize(
    "action",
    [Answer(status=500), Answer(text="{}"), Answer(status=401), Drop(), Answer(status=429)],
    ids=["500", "no id", "401", "dropped", "429"],
)
def test_tokens_of_a_sign_in_that_fails_later_are_given_back(scene: Scene, action: Action) -> None:
    scene.emulator.faults.add("GET", "/v1/people/me", action, times=None)
    browser = scene.browser()

    page = browser.sign_in(return_to="/listrooms")

    assert page.status_code in {502, 503}
    assert offered_return_to(page) == "/listrooms"
    assert not is_signed_in(browser)
    revoked = scene.emulator.journal.wait_for("POST", "*/revoke", count=2)
    assert [entry.status for entry in revoked] == [200, 200]
