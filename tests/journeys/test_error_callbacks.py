"""Webex's errors in the callback: a page for each, the words of others as text, used once."""

import re
from html.parser import HTMLParser

import pytest
from journeys.acts import (
    callback,
    held,
    is_signed_in,
    offered_return_to,
    parameter,
    shown_title,
    token_requests,
)
from ledgers import marks
from scene import Scene

from webex_oauth.emulator.world import HOSTILE_TITLES

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
PAGE_BY_ERROR = {
    "access_denied": (403, "You declined"),
    "invalid_scope": (400, "Webex does not know a permission we asked for"),
    "server_error": (502, "Webex had a problem"),
    "temporarily_unavailable": (502, "Webex had a problem"),
    "invalid_request": (400, "Webex refused the sign-in"),
    "unauthorized_client": (400, "Webex refused the sign-in"),
    "unsupported_response_type": (400, "Webex refused the sign-in"),
    "invalid_client": (400, "Webex refused the sign-in"),
    "invalid_grant": (400, "Webex refused the sign-in"),
    "login_required": (400, "Webex refused the sign-in"),
    "interaction_required": (400, "Webex refused the sign-in"),
    "account_selection_required": (400, "Webex refused the sign-in"),
    "consent_required": (400, "Webex refused the sign-in"),
    "something_new": (400, "Webex refused the sign-in"),
    "<script>alert(1)</script>": (400, "Webex refused the sign-in"),
    "{{7*7}} %(x)s {0}": (400, "Webex refused the sign-in"),
}


def on_one_line(text: str) -> str:
    """Leave out what cannot be seen, and the width of gaps."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


READABLE = [title for title in HOSTILE_TITLES if on_one_line(title)]
UNREADABLE = [title for title in HOSTILE_TITLES if not on_one_line(title)]


class Skeleton(HTMLParser):
    """What a page is made of, its texts apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.check("A10")
def test_a_person_who_declined_goes_back_and_accepts(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.start("/listrooms")
    browser.follow(browser.consent(url, decision="decline"))

    accepted = browser.follow(browser.consent(url))

    assert (accepted.status_code, accepted.headers["location"]) == (303, "/listrooms")


@pytest.mark.check("A10")
@pytest.mark.parametrize("error", PAGE_BY_ERROR)
def test_every_error_has_a_page_that_keeps_the_way_also_after_a_reload(
    scene: Scene, error: str
) -> None:
    browser = scene.browser()
    state = parameter(browser.start("/listrooms"), "state")
    url = callback(scene, error=error, error_description="for developers", state=state)
    before = held(scene, marks)

    answer, again = browser.follow(url), browser.follow(url)

    assert (answer.status_code, shown_title(answer)) == PAGE_BY_ERROR[error]
    assert offered_return_to(answer) == "/listrooms"
    assert shown_title(again) == shown_title(answer)
    assert held(scene, marks) == before
    assert token_requests(scene) == 0
    assert not is_signed_in(browser)


def page_of(scene: Scene, description: str) -> Skeleton:
    """Show the page for an error that is described like this."""
    browser = scene.browser()
    answer = browser.follow(
        callback(
            scene,
            error="invalid_request",
            error_description=description,
            error_uri="https://evil.example/help",
            state=parameter(browser.start(), "state"),
        )
    )
    assert answer.status_code == 400
    return Skeleton(answer.text)


@pytest.mark.check("A10", "E07", "E09")
@pytest.mark.parametrize("description", READABLE, ids=ascii)
def test_a_hostile_description_is_text(scene: Scene, description: str) -> None:
    harmless, hostile = page_of(scene, "harmless"), page_of(scene, description)

    assert hostile.elements == harmless.elements
    assert hostile.links == harmless.links
    assert "evil.example" not in "".join(hostile.links)
    assert not CONTROL.search(hostile.text.replace("\n", ""))
    assert on_one_line(description)[:400] in on_one_line(hostile.text)


@pytest.mark.check("A10", "E07", "E11")
@pytest.mark.parametrize("description", [*UNREADABLE, "\x00", "\r\n\t"], ids=ascii)
def test_a_description_that_shows_nothing_is_left_out(scene: Scene, description: str) -> None:
    assert page_of(scene, description).elements == page_of(scene, "").elements


@pytest.mark.check("A10", "E11")
@pytest.mark.parametrize("encoded", ["f%FCr%20J%F6rg", "f%C3%BCr%0D%0AJ%C3%B6rg", "f%FCr%09J%F6rg"])
def test_a_person_who_declines_is_told_so_in_any_encoding(scene: Scene, encoded: str) -> None:
    browser = scene.browser()
    state = parameter(browser.start("/listrooms"), "state")
    url = callback(scene, error="access_denied", state=state)

    answer = browser.follow(f"{url}&error_description={encoded}&error_uri=%FF%0A&x=%00&x=%FF")

    assert (answer.status_code, shown_title(answer)) == PAGE_BY_ERROR["access_denied"]
    assert "für Jörg" in answer.text
    assert offered_return_to(answer) == "/listrooms"


@pytest.mark.check("A10")
def test_an_error_without_a_valid_state_changes_nothing(scene: Scene) -> None:
    browser = scene.signed_in()

    answers = [
        browser.follow(callback(scene, error="access_denied")),
        browser.follow(callback(scene, error="access_denied", state="invented")),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert "access_denied" in answers[0].text
    assert is_signed_in(browser)


@pytest.mark.check("A10")
def test_an_error_in_another_browser_does_not_use_up_the_attempt(scene: Scene) -> None:
    browser = scene.browser()
    url = browser.start()

    refused = scene.browser().follow(
        callback(scene, error="access_denied", state=parameter(url, "state"))
    )

    assert refused.status_code == 400
    assert browser.follow(browser.consent(url)).status_code == 303


@pytest.mark.check("A10")
def test_declining_again_and_again_never_signs_in_and_never_breaks(scene: Scene) -> None:
    browser = scene.browser()

    answers = [
        browser.follow(browser.consent(browser.start(), decision="decline")) for _ in range(3)
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert browser.sign_in().status_code == 303


@pytest.mark.check("A10")
@pytest.mark.parametrize("length", [1, 20, 128, 2_000])
@pytest.mark.parametrize("state", [None, "of-nobody"])
def test_a_text_without_a_known_state_is_not_shown(
    scene: Scene, length: int, state: str | None
) -> None:
    text = ("Your account is locked, call 555 0100. " * 200)[:length].strip() or "Y"
    parameters = {"error": text, "error_description": text} | ({"state": state} if state else {})

    answer = scene.browser().follow(callback(scene, **parameters))

    assert answer.status_code == 400
    assert "555 0100" not in answer.text
    assert f"<code>{text}" not in answer.text
