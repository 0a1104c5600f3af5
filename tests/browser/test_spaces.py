"""The spaces as they arrive, the filter, and the person's picture."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from scene import JONAS, MIRA, Scene

from browser.browsers import OpenContext
from browser.steps import AMARA, enter_signed_in, path_of
from webex_oauth.emulator import Answer, Hang, Reset

pytestmark = pytest.mark.browser

ROOMS_PATH = "/v1/rooms"
ROWS_SHOWN = "#rooms tr:not([hidden])"
ANSWERS_FOR_5000_SPACES = 6


def test_spaces_are_shown_while_the_last_answer_of_webex_is_still_awaited(
    context: BrowserContext, scene: Scene
) -> None:
    page = enter_signed_in(context, scene, JONAS)
    scene.emulator.faults.add("GET", ROOMS_PATH, Hang(), after=ANSWERS_FOR_5000_SPACES - 1)

    page.goto(f"{scene.origin}/listrooms", wait_until="commit")
    page.locator("#rooms tr:nth-child(3999)").wait_for()

    assert page.locator(".ending").count() == 0
    assert page.locator("#rooms tr").first.is_visible()
    page.close()
    scene.emulator.journal.wait_for("GET", ROOMS_PATH, count=ANSWERS_FOR_5000_SPACES)


def test_a_list_that_breaks_off_keeps_its_rows_and_offers_to_load_again(
    context: BrowserContext, scene: Scene
) -> None:
    page = enter_signed_in(context, scene, JONAS)
    scene.emulator.faults.add("GET", ROOMS_PATH, Reset(), after=2, times=None)

    page.goto(f"{scene.origin}/listrooms?filter=plan")
    expect(page.get_by_role("heading", name="The list ends early")).to_be_visible()
    kept_count = page.locator("#rooms tr").count()
    scene.emulator.faults.clear()
    page.get_by_role("link", name="Load the list again").click()

    assert kept_count > 0
    expect(page.get_by_text("of 5,000 spaces")).to_be_visible()
    assert path_of(page) == "/listrooms?filter=plan"


def test_typing_into_the_filter_hides_the_other_spaces_and_says_how_many_are_left(
    context: BrowserContext, scene: Scene
) -> None:
    page = enter_signed_in(context, scene)
    page.goto(f"{scene.origin}/listrooms")
    titles = page.locator("#rooms th").all_text_contents()
    wanted = [title for title in titles if "plan" in title.lower()]

    page.get_by_label("Filter by title").press_sequentially("PLAN")

    expect(page.get_by_role("status")).to_have_text(f"{len(wanted)} of 250 spaces shown.")
    assert page.locator(f"{ROWS_SHOWN} th").all_text_contents() == wanted
    assert 0 < len(wanted) < 250
    assert scene.emulator.journal.count("GET", ROOMS_PATH) == 2


@pytest.mark.parametrize("is_scripted", [True, False])
def test_the_filter_button_finds_the_same_spaces_with_and_without_javascript(
    open_context: OpenContext, scene: Scene, *, is_scripted: bool
) -> None:
    page = enter_signed_in(open_context(java_script_enabled=is_scripted), scene)
    page.goto(f"{scene.origin}/listrooms")
    titles = page.locator("#rooms th").all_text_contents()
    wanted = [title for title in titles if "plan" in title.lower()]

    page.get_by_label("Filter by title").fill("Plan")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url(f"{scene.origin}/listrooms?filter=Plan")

    assert page.locator(f"{ROWS_SHOWN} th").all_text_contents() == wanted
    expect(page.get_by_text(f"{len(wanted)} of 250 spaces.")).to_be_visible()
    page.get_by_role("link", name="Show all").first.click()
    expect(page.get_by_text("250 spaces in all.")).to_be_visible()


def test_instants_are_told_in_the_time_of_the_person(
    open_context: OpenContext, scene: Scene
) -> None:
    abroad = open_context(timezone_id="Asia/Tokyo")
    page = enter_signed_in(abroad, scene)
    page.goto(f"{scene.origin}/listrooms")
    shown = page.locator("#rooms time").first

    instant = datetime.fromisoformat(str(shown.get_attribute("datetime")))
    in_tokyo = instant.astimezone(ZoneInfo("Asia/Tokyo"))

    assert shown.get_attribute("title") == f"{instant:%Y-%m-%d %H:%M} UTC"
    local_text = str(shown.text_content())
    assert local_text.startswith(f"{in_tokyo.day} ")
    assert local_text.endswith(f" {in_tokyo:%Y, %H:%M}")


def test_a_person_with_a_picture_sees_it(context: BrowserContext, scene: Scene) -> None:
    page = enter_signed_in(context, scene, MIRA)

    page.goto(scene.origin)

    assert picture_width(page) > 0


@pytest.mark.parametrize("email", [AMARA, MIRA])
def test_initials_stand_where_there_is_no_picture(
    context: BrowserContext, scene: Scene, email: str
) -> None:
    page = enter_signed_in(context, scene, email)
    scene.emulator.faults.add("GET", "/avatars/*", Answer(status=404), times=None)

    page.goto(scene.origin)

    expect(page.locator(".avatar")).to_have_text({AMARA: "AO", MIRA: "MI"}[email])
    assert picture_width(page) == 0


def picture_width(page: Page) -> int:
    """Return the width in pixels of the picture that was loaded, 0 if there is none."""
    width: int = page.evaluate("document.querySelector('.avatar img')?.naturalWidth ?? 0")
    return width
