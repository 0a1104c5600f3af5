"""The list of spaces on every medium: a phone, a wide window, paper; and what its rows cost."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from scene import JONAS, MIRA, Scene

from browser.axe import Axe
from browser.browsers import OpenContext
from browser.steps import enter_signed_in
from webex_oauth.emulator.world import HOSTILE_EMAIL

pytestmark = pytest.mark.browser

PHONE = {"width": 320, "height": 640}
WIDE = {"width": 1280, "height": 800}
BOXES = """() => [...document.querySelectorAll("#rooms tr")].slice(0, 20).map((row) =>
    [...row.cells].map((cell) => {
        const { left, right, top, bottom } = cell.getBoundingClientRect();
        return { left, right, top, bottom };
    }))"""
SKIPPED = """() => [...document.querySelectorAll("#rooms tr")]
    .filter((row) => !row.cells[0].checkVisibility({ contentVisibilityAuto: true })).length"""
HEIGHTS = """() => [4, 40, 400, 4000, 4999].map((at) =>
    document.querySelectorAll("#rooms tr")[at].getBoundingClientRect().height)"""
COLOURS = """(selector) => [...document.querySelectorAll(selector)]
    .map((element) => getComputedStyle(element).color)"""


def rooms_of(context: BrowserContext, scene: Scene, email: str = MIRA) -> Page:
    page = enter_signed_in(context, scene, email)
    page.goto(f"{scene.origin}/listrooms")
    page.locator(".ending").wait_for()
    return page


def test_on_a_phone_a_title_has_a_line_of_its_own(context: BrowserContext, scene: Scene) -> None:
    page = rooms_of(context, scene)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a size

    for title, kind, instant in boxes(page):
        assert title["right"] - title["left"] >= 260
        assert kind["top"] >= title["bottom"] - 1
        assert abs(kind["top"] - instant["top"]) <= 3
        assert instant["left"] >= kind["right"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_in_a_wide_window_a_space_is_one_line_under_its_headings(
    context: BrowserContext, scene: Scene
) -> None:
    page = rooms_of(context, scene)
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]  # a size

    lefts = page.evaluate(
        "[...document.querySelectorAll('.rooms thead th')].map(e => e.getBoundingClientRect().left)"
    )
    for cells in boxes(page):
        assert [cell["left"] for cell in cells] == lefts
        assert cells[0]["right"] <= cells[1]["left"]


def boxes(page: Page) -> list[list[dict[str, float]]]:
    """Return where the cells of the first rows are."""
    found: list[list[dict[str, float]]] = page.evaluate(BOXES)
    assert found
    return found


@pytest.mark.parametrize("width", [320, 1280])
def test_the_table_stays_a_table_for_screen_readers(
    context: BrowserContext, scene: Scene, axe: Axe, width: int
) -> None:
    page = rooms_of(context, scene, HOSTILE_EMAIL)
    page.set_viewport_size({"width": width, "height": 800})

    table = page.get_by_role("table", name="Spaces, newest activity first")
    row_count = page.locator("#rooms tr").count()
    assert table.get_by_role("columnheader").count() == 3
    assert table.get_by_role("row").count() == row_count + 1
    assert table.get_by_role("rowheader").count() == row_count
    assert table.get_by_role("cell").count() == 2 * row_count
    assert axe.violations(page) == []


def test_of_5000_spaces_only_those_near_the_window_are_laid_out(
    context: BrowserContext, scene: Scene
) -> None:
    page = rooms_of(context, scene, JONAS)

    assert page.evaluate(SKIPPED) > 4_500
    heights = page.evaluate(HEIGHTS)
    assert max(heights) - min(heights) <= 1
    expect(page.get_by_text("5,000 spaces in all.")).not_to_be_in_viewport()
    page.keyboard.press("End")
    expect(page.get_by_text("5,000 spaces in all.")).to_be_in_viewport()


def test_a_browser_finds_what_it_has_not_laid_out(context: BrowserContext, scene: Scene) -> None:
    page = rooms_of(context, scene, JONAS)
    title = page.locator("#rooms th").last.text_content() or ""

    page.evaluate("title => window.find(title, true)", title)

    assert page.evaluate("getSelection().toString()") == title


def test_a_filter_that_finds_nothing_says_so_and_shows_no_empty_table(
    context: BrowserContext, scene: Scene
) -> None:
    page = rooms_of(context, scene)
    box = page.get_by_label("Filter by title")

    box.fill("zzzz")

    expect(page.get_by_role("status")).to_have_text("No space has “zzzz” in its title.")
    expect(page.locator(".rooms")).to_be_hidden()
    box.fill("")
    expect(page.locator("#rooms tr").first).to_be_visible()


def test_paper_is_black_on_white_and_has_nothing_to_press(
    open_context: OpenContext, scene: Scene
) -> None:
    page = rooms_of(open_context(color_scheme="dark"), scene)

    page.emulate_media(media="print", color_scheme="dark")

    assert set(page.evaluate(COLOURS, "#rooms th, h1")) == {"rgb(0, 0, 0)"}
    for gone in ("header", "footer", "form", "button"):
        assert page.locator(gone).first.is_hidden()
    style: Any = page.evaluate(
        "[...document.querySelectorAll('.rooms thead, #rooms tr')].slice(0, 2)"
        ".map(e => [getComputedStyle(e).display, getComputedStyle(e).contentVisibility])"
    )
    assert style == [["table-header-group", "visible"], ["table-row", "visible"]]
    widths: Any = page.evaluate(
        "[...document.querySelectorAll('.rooms thead th')]"
        ".map(e => e.getBoundingClientRect().width)"
    )
    assert widths[0] > sum(widths) / 2  # the title has the room that the others do not need
    assert page.pdf(format="A4").count(b"/Type /Page\n") <= 9
