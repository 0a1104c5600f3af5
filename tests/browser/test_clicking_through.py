"""Sign in and out by clicking, as a person does."""

import pytest
from playwright.sync_api import Page, expect
from scene import Scene

from browser.browsers import OpenContext
from browser.steps import MIRA_NAME, accept, choose, decline, path_of, sign_in, sign_out
from browser.witness import Witness

pytestmark = pytest.mark.browser

WHOLE_JOURNEY_PATHS = ("/", "/listrooms", "/logout")


def test_declining_is_explained_and_trying_again_leads_where_one_was_going(
    page: Page, scene: Scene
) -> None:
    page.goto(f"{scene.origin}/login?return_to=/listrooms")
    choose(page, MIRA_NAME)

    decline(page)
    explanation = page.get_by_role("main").inner_text()
    page.get_by_role("button", name="Try again").click()
    accept(page)

    assert "access_denied" in explanation
    assert path_of(page) == "/listrooms"
    expect(page.get_by_role("row")).to_have_count(251)


def test_the_whole_journey_works_without_javascript(
    open_context: OpenContext, scene: Scene
) -> None:
    page = open_context(java_script_enabled=False).new_page()

    sign_in(page, scene)
    page.get_by_role("link", name="See your spaces").click()
    expect(page.get_by_text("250 spaces in all.")).to_be_visible()
    sign_out(page)
    page.goto(f"{scene.origin}/")

    expect(page.get_by_role("button", name="Sign in with Webex")).to_be_visible()


@pytest.mark.check("A15", "I05")
def test_no_journey_asks_a_third_party_for_anything(
    page: Page, scene: Scene, witness: Witness
) -> None:
    sign_in(page, scene)
    for path in WHOLE_JOURNEY_PATHS:
        page.goto(scene.origin + path)
    sign_out(page)

    assert len(witness.requests) > 20
    assert witness.strangers() == set()


@pytest.mark.check("E01", "D03")
def test_scripts_and_storage_hold_no_secret_of_a_signed_in_person(
    page: Page, scene: Scene, witness: Witness
) -> None:
    sign_in(page, scene)

    kept = page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]")
    cookies = [one for one in page.context.cookies(scene.origin) if "webex_oauth" in one["name"]]

    assert kept == ["", 0, 0]
    assert {(one["httpOnly"], one["sameSite"], one["path"]) for one in cookies} == {
        (True, "Lax", "/")
    }
    assert witness.complaints() == []
