"""Every page of the application for everybody: axe-core finds nothing, and a keyboard is enough."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from scene import JONAS, MIRA, Scene

from browser.axe import Axe
from browser.elsewhere import Elsewhere
from browser.steps import (
    AMARA,
    LUCA,
    MIRA_NAME,
    choose,
    decline,
    enter_signed_in,
    expect_signed_in,
    hand_over,
    start,
)
from webex_oauth.emulator import Answer, Reset
from webex_oauth.emulator.world import HOSTILE_EMAIL

pytestmark = [pytest.mark.browser, pytest.mark.check("I11")]

MOST_TABS = 30
Way: TypeAlias = Callable[[BrowserContext, Scene], Page]
"""Open a page in a browser that has never been here."""


def at(path: str, email: str | None = None) -> Way:
    """Open *path* of the application, signed in as *email* or not at all."""

    def go(context: BrowserContext, scene: Scene) -> Page:
        page = enter_signed_in(context, scene, email) if email else context.new_page()
        page.goto(scene.origin + path)
        return page

    return go


def declined(context: BrowserContext, scene: Scene) -> Page:
    page = context.new_page()
    start(page, scene)
    choose(page, MIRA_NAME)
    decline(page)
    page.get_by_role("button", name="Try again").wait_for()
    return page


def signed_out(context: BrowserContext, scene: Scene) -> Page:
    page = at("/logout", AMARA)(context, scene)
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in again").wait_for()
    return page


def signed_in_twice(context: BrowserContext, scene: Scene) -> Page:
    scene.signed_in(AMARA)
    return at("/sessions", AMARA)(context, scene)


def disconnected(context: BrowserContext, scene: Scene) -> Page:
    page = at("/disconnect", AMARA)(context, scene)
    page.get_by_role("main").get_by_role("button", name="Disconnect").click()
    page.get_by_role("button", name="Connect again").wait_for()
    return page


def near_its_end(context: BrowserContext, scene: Scene) -> Page:
    scene.emulator.change_options(
        refresh_token_lifetime_seconds=1_000, access_token_lifetime_seconds=60
    )
    page = enter_signed_in(context, scene, LUCA)
    scene.emulator.faults.add("POST", "/v1/access_token", Answer(status=503), times=None)
    scene.emulator.clock.advance(900)
    page.goto(f"{scene.origin}/")
    return page


def past_its_end(context: BrowserContext, scene: Scene) -> Page:
    page = near_its_end(context, scene)
    scene.emulator.clock.advance(200)
    scene.emulator.faults.clear()
    page.goto(f"{scene.origin}/listrooms")
    return page


def unnamed(context: BrowserContext, scene: Scene) -> Page:
    scene.emulator.change_options(granted_scopes=("spark:rooms_read",))
    return at("/", MIRA)(context, scene)


def without_rooms_scope(context: BrowserContext, scene: Scene) -> Page:
    scene.emulator.change_options(granted_scopes=("spark:people_read",))
    return at("/listrooms", MIRA)(context, scene)


def broken_off(context: BrowserContext, scene: Scene) -> Page:
    page = enter_signed_in(context, scene, JONAS)
    scene.emulator.faults.add("GET", "/v1/rooms", Reset(), after=1, times=None)
    page.goto(f"{scene.origin}/listrooms")
    return page


def rate_limited(context: BrowserContext, scene: Scene) -> Page:
    page = enter_signed_in(context, scene)
    limit = Answer(status=429, headers={"Retry-After": "90"})
    scene.emulator.faults.add("GET", "/v1/rooms", limit, times=None)
    page.goto(f"{scene.origin}/listrooms")
    return page


def finished_elsewhere(context: BrowserContext, scene: Scene) -> Page:
    browser, page = scene.browser(), context.new_page()
    page.goto(browser.consent(browser.start()))
    return page


def refused_by_webex(context: BrowserContext, scene: Scene) -> Page:
    browser, page = scene.browser(), context.new_page()
    scene.emulator.change_options(authorize_error="invalid_scope")
    callback = browser.consent(browser.start())
    hand_over(browser, context)
    page.goto(callback)
    return page


WAY_BY_PAGE: dict[str, Way] = {
    "Sign in with Webex": at("/"),
    "Mira Ito": at("/", MIRA),
    "Amara Okafor": at("/", AMARA),
    "You are signed in": unnamed,
    "Your spaces": at("/listrooms", LUCA),
    "Your spaces, none": at("/listrooms", AMARA),
    "Your spaces, filtered": at("/listrooms?filter=plan", MIRA),
    "Your spaces, none found": at("/listrooms?filter=nothing%20is%20called%20so", LUCA),
    "Your spaces, hostile": at("/listrooms", HOSTILE_EMAIL),
    "Your spaces, broken off": broken_off,
    "A permission is missing": without_rooms_scope,
    "Sign out?": at("/logout", AMARA),
    "You are signed out": signed_out,
    "Where you are signed in": signed_in_twice,
    "Disconnect from Webex?": at("/disconnect", AMARA),
    "You are disconnected": disconnected,
    "Luca Moretti": near_its_end,
    "Please sign in again": past_its_end,
    "Please sign in": at("/listrooms"),
    "Page not found": at("/nowhere"),
    "Page not found, signed in": at("/nowhere", AMARA),
    "Part of the answer is missing": at("/oauth"),
    "You declined": declined,
    "Webex does not know a permission we asked for": refused_by_webex,
    "This sign-in was started in another browser": finished_elsewhere,
    "Webex asks us to slow down": rate_limited,
}


@pytest.mark.parametrize("name", WAY_BY_PAGE)
def test_axe_finds_nothing_wrong_in_either_colour_scheme(
    context: BrowserContext, scene: Scene, axe: Axe, name: str
) -> None:
    page = WAY_BY_PAGE[name](context, scene)
    expect(page.get_by_role("heading", level=1)).to_have_text(name.partition(",")[0])

    assert axe.violations(page) == []


def test_axe_finds_nothing_wrong_with_the_question_before_a_sign_in(
    page: Page, scene: Scene, axe: Axe, elsewhere: Elsewhere
) -> None:
    elsewhere.pages["/"] = f'<a href="{scene.origin}/login">Go</a>'
    page.goto(elsewhere.origin)
    page.get_by_role("link", name="Go").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in with Webex?")

    assert axe.violations(page) == []


def test_axe_finds_what_is_wrong(page: Page, elsewhere: Elsewhere, axe: Axe) -> None:
    elsewhere.pages["/"] = '<p style="color: #bbb; background: #fff">Pale</p><img src="/x.png">'
    page.goto(elsewhere.origin)

    found = "\n".join(axe.violations(page))

    assert "light: color-contrast" in found
    assert "dark: image-alt" in found


def test_after_a_session_was_ended_the_page_says_so_and_has_the_focus_there(
    context: BrowserContext, scene: Scene, axe: Axe
) -> None:
    page = signed_in_twice(context, scene)

    page.get_by_role("button", name="Sign out An unknown browser").first.press("Enter")

    status = page.get_by_role("status")
    expect(status).to_have_text("Signed out an unknown browser.")
    expect(status).to_be_focused()
    assert axe.violations(page) == []


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element called *name* has the focus, and can be seen to have it."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if name in (focused.text_content() or ""):
            outline = focused.evaluate("e => getComputedStyle(e).outlineStyle")
            assert outline != "none", f"the focus on {name} cannot be seen"
            return
    pytest.fail(f"{name} was not reached in {MOST_TABS} steps")


def test_a_person_signs_in_and_out_with_the_keyboard_alone(page: Page, scene: Scene) -> None:
    page.goto(scene.origin)
    for name in ("Sign in with Webex", MIRA_NAME, "Accept"):
        tab_to(page, name)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    expect_signed_in(page, MIRA_NAME)

    tab_to(page, "Sign out")
    page.keyboard.press("Space")

    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")


def test_the_first_tab_stop_skips_to_the_content(context: BrowserContext, scene: Scene) -> None:
    page = at("/", AMARA)(context, scene)

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.locator(":focus").text_content() == "See your spaces"


@pytest.mark.parametrize("path", ["/", "/listrooms", "/logout", "/sessions", "/disconnect"])
def test_no_page_is_wider_than_a_phone(context: BrowserContext, scene: Scene, path: str) -> None:
    page = at(path, MIRA)(context, scene)

    page.set_viewport_size({"width": 320, "height": 640})

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
