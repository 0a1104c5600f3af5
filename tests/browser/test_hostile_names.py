"""Names that would break a careless page, as Chromium shows them: text, and nothing but text."""

from collections import Counter
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from scene import Scene

from browser.browsers import OpenContext
from browser.steps import enter_signed_in, hand_over
from webex_oauth.emulator.world import HOSTILE_DISPLAY_NAME, HOSTILE_EMAIL, HOSTILE_TITLES
from webex_oauth.webex.rooms import MAX_TITLE_CHARACTERS

pytestmark = [pytest.mark.browser, pytest.mark.check("E07", "E08")]

SPECIAL = set("<>&\"'`{}%$\\")
READ_ROWS = """() => Array.from(document.querySelectorAll("#rooms tr"), (row) => ({
    title: row.querySelector("th").textContent,
    tags: Array.from(row.querySelectorAll("*"), (element) => element.localName),
    bidi: Array.from(row.querySelectorAll("bdi"), (e) => getComputedStyle(e).unicodeBidi),
    height: row.getBoundingClientRect().height,
}))"""
ROW_TAGS = ["th", "bdi", "td", "td", "time"]
TALLEST_ROW_PIXELS = 160


def shown(title: str) -> str:
    """Return how *title* is shown: cut, without NUL, which HTML has not, and not as a blank."""
    cut = title[:MAX_TITLE_CHARACTERS]
    return cut.replace("\0", "\ufffd") if cut.strip() else "No title"


def open_hostile_rooms(context: BrowserContext, scene: Scene) -> Page:
    """Open the spaces of the person whose spaces have hostile titles."""
    page = enter_signed_in(context, scene, HOSTILE_EMAIL)
    page.goto(f"{scene.origin}/listrooms")
    expect(page.locator("#rooms tr")).to_have_count(len(HOSTILE_TITLES))
    return page


def test_every_hostile_title_is_shown_as_the_text_that_it_is(
    context: BrowserContext, scene: Scene
) -> None:
    page = open_hostile_rooms(context, scene)

    rows: list[dict[str, Any]] = page.evaluate(READ_ROWS)

    titles = Counter(row["title"] for row in rows)
    assert titles == Counter(shown(title) for title in HOSTILE_TITLES)
    assert page.locator("h1").count() == 1
    assert page.locator("main script, main img, main iframe, main svg, main style").count() == 0
    assert all(row["tags"] == ROW_TAGS for row in rows if row["title"] != "No title")


@pytest.mark.parametrize("width", [390, 1280])
def test_no_hostile_title_breaks_the_layout(
    open_context: OpenContext, scene: Scene, width: int
) -> None:
    context = open_context(viewport={"width": width, "height": 800})
    page = open_hostile_rooms(context, scene)

    rows: list[dict[str, Any]] = page.evaluate(READ_ROWS)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert max(row["height"] for row in rows) <= TALLEST_ROW_PIXELS
    assert {way for row in rows for way in row["bidi"]} == {"isolate"}


def test_a_hostile_person_is_named_as_text_on_every_page(
    context: BrowserContext, scene: Scene
) -> None:
    page = enter_signed_in(context, scene, HOSTILE_EMAIL)
    page.goto(scene.origin)

    named = [page.get_by_role("heading", level=1), page.locator("nav bdi").first]
    email = page.locator("dd bdi").first

    assert [one.text_content() for one in named] == [HOSTILE_DISPLAY_NAME] * 2
    assert email.text_content() == HOSTILE_EMAIL
    assert page.locator("nav *, h1 *").evaluate_all("all => all.map((e) => e.localName)") == [
        *("a", "bdi", "a", "form", "input", "button", "bdi")
    ]


@pytest.mark.check("E09")
def test_a_hostile_filter_comes_back_as_the_text_that_it_was(
    context: BrowserContext, scene: Scene
) -> None:
    page = enter_signed_in(context, scene, "luca@acme.example")
    texts = [one for one in HOSTILE_TITLES[:40] if SPECIAL & set(one) and one.isprintable()]

    kept, quoted = [], []
    for text in texts:
        page.goto(f"{scene.origin}/listrooms?{urlencode({'filter': text})}")
        kept.append(page.get_by_label("Filter by title").input_value())
        quoted.append(page.locator("main > p bdi").first.text_content())

    assert len(texts) > 20
    assert kept == quoted == texts


@pytest.mark.check("A10")
def test_a_hostile_error_from_webex_is_shown_as_text(context: BrowserContext, scene: Scene) -> None:
    browser, page = scene.browser(), context.new_page()
    shown_texts, texts = [], [one for one in HOSTILE_TITLES[:20] if one.isascii()]

    for text in texts:
        [state] = parse_qs(urlsplit(browser.start()).query)["state"]
        hand_over(browser, context)
        error = f"error=server_error&error_description={quote(text)}&error_uri={quote(text)}"
        page.goto(f"{scene.origin}/oauth?{error}&state={state}")
        shown_texts.append(page.locator("dd bdi").last.text_content())

    assert shown_texts == texts
    links = page.locator("main a").evaluate_all("all => all.map((a) => a.href)")
    assert links == ["https://status.webex.com/"]


def test_a_hostile_address_is_not_put_into_the_page(page: Page, scene: Scene) -> None:
    for text in HOSTILE_TITLES[:10]:
        page.goto(f"{scene.origin}/{quote(text, safe='')}")

        assert page.get_by_role("heading", level=1).text_content() == "Page not found"
        assert escape(text) not in page.content()
