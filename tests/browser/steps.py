"""The steps of a person through the pages of the application and of Webex."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, expect
from scene import MIRA, Browser, Scene

MIRA_NAME = "Mira Ito"
JONAS_NAME = "Jonas Weber"
LUCA_NAME = "Luca Moretti"
LUCA = "luca@acme.example"
AMARA = "amara@acme.example"
AMARA_NAME = "Amara Okafor"


def start(page: Page, scene: Scene) -> None:
    """Open the home page and press the button."""
    page.goto(scene.origin)
    page.get_by_role("button", name="Sign in with Webex").click()


def choose(page: Page, name: str) -> None:
    """Choose a person on Webex's first page."""
    page.get_by_role("button", name=name).click()


def accept(page: Page) -> None:
    """Accept on Webex's second page."""
    page.get_by_role("button", name="Accept").click()


def decline(page: Page) -> None:
    """Decline on Webex's second page."""
    page.get_by_role("button", name="Decline").click()


def sign_in(page: Page, scene: Scene, name: str = MIRA_NAME) -> None:
    """Walk the whole way, and see who is signed in."""
    start(page, scene)
    choose(page, name)
    accept(page)
    expect_signed_in(page, name)


def sign_out(page: Page) -> None:
    """Press the button in the page's head."""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")


def expect_signed_in(page: Page, name: str) -> None:
    """See the person's page."""
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def enter_signed_in(context: BrowserContext, scene: Scene, email: str = MIRA) -> Page:
    """Open a page in a browser that *email* signed in with, without walking the pages again.

    The local Webex's journal begins anew.
    """
    hand_over(scene.signed_in(email), context, only=scene.session_cookie)
    scene.emulator.journal.clear()
    return context.new_page()


def hand_over(browser: Browser, context: BrowserContext, only: str = "") -> None:
    """Make *context* go on where *browser* stopped: give it the cookies whose name begins so."""
    context.add_cookies(
        [
            {
                "name": cookie.name,
                "value": cookie.value or "",
                "url": browser.scene.origin,
                "httpOnly": True,
                "sameSite": "Lax",
            }
            for cookie in browser.http.cookies
            if cookie.name.startswith(only)
        ]
    )


def path_of(page: Page) -> str:
    """Return the path and query that the address bar shows."""
    parts = urlsplit(page.url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
