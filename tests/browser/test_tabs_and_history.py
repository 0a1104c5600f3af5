"""Several tabs, the Back button, reload and what the browser remembers."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from scene import Scene

from browser.steps import (
    AMARA,
    AMARA_NAME,
    MIRA_NAME,
    accept,
    choose,
    enter_signed_in,
    expect_signed_in,
    path_of,
    sign_in,
    sign_out,
    start,
)
from browser.witness import Witness

pytestmark = pytest.mark.browser

TOKEN_PATH = "/v1/access_token"
CALLBACK_PATH = "/oauth"


def history_urls(page: Page) -> list[str]:
    """List what the tab's history holds."""
    devtools = page.context.new_cdp_session(page)
    answer: dict[str, Any] = devtools.send("Page.getNavigationHistory")
    return [entry["url"] for entry in answer["entries"]]


@pytest.mark.check("A06")
def test_the_same_callback_again_leads_on_and_asks_for_no_second_token(
    page: Page, scene: Scene, witness: Witness
) -> None:
    sign_in(page, scene)
    [callback] = witness.urls(CALLBACK_PATH)

    page.goto(callback)

    expect_signed_in(page, MIRA_NAME)
    assert path_of(page) == "/"
    assert scene.emulator.journal.count("POST", TOKEN_PATH) == 1


@pytest.mark.check("A06")
def test_back_and_forward_after_signing_in_keep_the_person_signed_in(
    page: Page, scene: Scene
) -> None:
    sign_in(page, scene)

    page.go_back()
    page.go_forward()
    page.reload()

    expect_signed_in(page, MIRA_NAME)
    assert scene.emulator.journal.count("POST", TOKEN_PATH) == 1


@pytest.mark.check("A15")
def test_history_and_referrer_hold_no_code_and_no_state(
    page: Page, scene: Scene, witness: Witness
) -> None:
    sign_in(page, scene)
    page.get_by_role("link", name="See your spaces").click()
    expect(page.get_by_text("250 spaces in all.")).to_be_visible()

    ours = [url for url in history_urls(page) if url.startswith(scene.origin)]

    assert ours == [f"{scene.origin}/", f"{scene.origin}/", f"{scene.origin}/listrooms"]
    assert not any("code=" in url for url in history_urls(page))
    assert page.evaluate("document.referrer") == ""
    assert witness.referers() == set()


@pytest.mark.check("D06")
def test_signing_out_clears_cookies_and_storage(page: Page, scene: Scene) -> None:
    sign_in(page, scene)
    page.evaluate("localStorage.setItem('left', 'behind')")

    sign_out(page)

    assert not [one for one in page.context.cookies() if one["name"].startswith("webex_oauth")]
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.check("D06")
@pytest.mark.parametrize("path", ["/", "/listrooms"])
def test_back_after_signing_out_shows_nothing_of_the_person(
    context: BrowserContext, scene: Scene, path: str
) -> None:
    page = enter_signed_in(context, scene)
    page.goto(scene.origin + path)
    expect(page.get_by_role("link", name=MIRA_NAME)).to_be_visible()
    sign_out(page)

    page.go_back()

    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    expect(page.get_by_role("row")).to_have_count(0)
    assert MIRA_NAME not in page.content()


@pytest.mark.check("D05")
def test_another_tab_is_signed_out_too(context: BrowserContext, scene: Scene) -> None:
    page, other = enter_signed_in(context, scene), context.new_page()
    page.goto(scene.origin)
    other.goto(scene.origin)

    sign_out(page)
    other.get_by_role("link", name="See your spaces").click()

    expect(other.get_by_role("button", name="Sign in")).to_be_visible()
    assert MIRA_NAME not in other.content()


@pytest.mark.check("A18")
def test_a_second_person_in_the_same_browser_sees_nothing_of_the_first(
    context: BrowserContext, scene: Scene
) -> None:
    page = enter_signed_in(context, scene)
    page.goto(f"{scene.origin}/listrooms")
    page.goto(f"{scene.origin}/login")
    choose(page, AMARA_NAME)
    accept(page)
    expect_signed_in(page, AMARA_NAME)

    seen = [page.content()]
    page.goto(f"{scene.origin}/listrooms")
    seen.append(page.content())
    page.go_back()
    seen.append(page.content())
    with page.expect_navigation():
        page.evaluate("history.go(3 - history.length)")
    seen.append(page.content())

    assert all(AMARA_NAME in content and MIRA_NAME not in content for content in seen)
    assert AMARA in "".join(seen)
    assert path_of(page) == "/listrooms"


@pytest.mark.check("A05")
def test_an_attempt_left_at_webex_for_too_long_is_explained_and_tried_again(
    page: Page, scene: Scene
) -> None:
    scene.emulator.change_options(transaction_lifetime_seconds=3_600)
    start(page, scene)
    choose(page, MIRA_NAME)
    page.get_by_role("button", name="Accept").wait_for()
    scene.emulator.clock.advance(660)

    accept(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("This sign-in has expired")
    page.get_by_role("button", name="Sign in again").click()
    accept(page)

    expect_signed_in(page, MIRA_NAME)
