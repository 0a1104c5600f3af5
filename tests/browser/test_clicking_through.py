"""Sign in and out by clicking, as a person does."""

import pytest
from playwright.sync_api import Page, expect
from scene import Scene

from browser.browsers import OpenContext
from browser.steps import sign_in, sign_out
from browser.witness import Witness

pytestmark = pytest.mark.browser


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
