"""The local Webex's own pages serve everyone: by keyboard, without scripts, in any window."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect
from scene import Scene

from browser.axe import Axe
from browser.browsers import OpenContext
from browser.elsewhere import Elsewhere
from webex_oauth.emulator.world import HOSTILE_DISPLAY_NAME, HOSTILE_EMAIL

pytestmark = pytest.mark.browser

PAGES = ["home", "person", "consent", "callback", "verify", "control", "refusal", "signed out"]


def authorize_url(scene: Scene, **changes: str) -> str:
    integration = scene.emulator.integration
    fields = {
        "client_id": integration.client_id,
        "response_type": "code",
        "redirect_uri": integration.redirect_uris[0],
        "scope": " ".join(integration.scopes),
        **changes,
    }
    return f"{scene.emulator.origin}/v1/authorize?{urlencode(fields)}"


def show(page: Page, scene: Scene, name: str) -> None:
    """Open one of the pages."""
    url_by_name = {
        "home": f"{scene.emulator.origin}/",
        "verify": f"{scene.emulator.broker_origin}/verify",
        "control": f"{scene.emulator.origin}/_emulator/",
        "refusal": authorize_url(scene, client_id=""),
        "signed out": f"{scene.emulator.broker_origin}/idb/oauth2/v1/logout?goto=http://127.0.0.1:9/",
    }
    page.goto(url_by_name.get(name, authorize_url(scene)))
    if name in ("consent", "callback"):
        page.get_by_role("button", name="Mira Ito").click()
    if name == "callback":
        page.get_by_role("button", name="show me the callback").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.check("I11")
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(scene: Scene, page: Page, axe: Axe, name: str) -> None:
    show(page, scene, name)

    assert axe.violations(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_window_needs_no_sideways_scrolling(
    scene: Scene, open_context: OpenContext, name: str
) -> None:
    page = open_context(viewport={"width": 320, "height": 640}).new_page()
    show(page, scene, name)

    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320


def test_a_person_decides_by_keyboard_alone(scene: Scene, page: Page) -> None:
    show(page, scene, "person")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Mira Ito")).to_be_focused()

    page.keyboard.press("Enter")
    page.wait_for_url("**/decision?**")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")

    expect(page.get_by_role("button", name="Accept")).to_be_focused()


def test_the_pages_work_without_scripts(scene: Scene, open_context: OpenContext) -> None:
    page = open_context(java_script_enabled=False).new_page()
    show(page, scene, "consent")

    page.get_by_role("link", name="Choose another person").click()
    page.get_by_role("button", name="Amara Okafor").click()

    expect(page.get_by_text("amara@acme.example")).to_be_visible()


def test_a_person_arranges_things_without_scripts(scene: Scene, open_context: OpenContext) -> None:
    page = open_context(java_script_enabled=False).new_page()
    show(page, scene, "home")

    page.get_by_role("link", name="Arrange things").click()
    page.get_by_role("button", name="rotate+grace").click()
    expect(page.get_by_text("to the refresh token: rotate+grace")).to_be_visible()
    page.get_by_role("button", name="The next token request gets 503").click()
    expect(page.get_by_text("POST /v1/access_token answer, once")).to_be_visible()

    assert scene.emulator.options.refresh_mode == "rotate+grace"


@pytest.mark.parametrize("decision", ["Accept", "Decline"])
def test_a_decision_arrives_however_many_origins_follow(
    scene: Scene, page: Page, elsewhere: Elsewhere, decision: str
) -> None:
    integration = scene.emulator.register(f"{elsewhere.cousin}/callback")
    elsewhere.redirects |= {
        "/callback": f"{elsewhere.origin}/second",
        "/second": f"{elsewhere.cousin}/third",
        "/third": f"{elsewhere.origin}/end",
    }
    elsewhere.pages["/end"] = "<h1>Arrived</h1>"
    page.goto(
        authorize_url(
            scene,
            client_id=integration.client_id,
            redirect_uri=integration.redirect_uris[0],
        )
    )
    page.get_by_role("button", name="Mira Ito").click()

    page.get_by_role("button", name=decision).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Arrived")


def test_hostile_names_are_text(scene: Scene, page: Page) -> None:
    show(page, scene, "person")

    page.get_by_role("button", name="spaces with hostile names").click()

    expect(page.locator("bdi.name")).to_have_text(HOSTILE_DISPLAY_NAME)
    expect(page.locator("bdi.email")).to_have_text(HOSTILE_EMAIL)
    assert page.locator("main b, main script").count() == 0
