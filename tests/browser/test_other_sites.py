"""What other sites can make a browser do to a person who is signed in here: nothing."""

from html import escape

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from scene import Browser, Scene

from browser.elsewhere import Elsewhere
from browser.steps import MIRA_NAME, enter_signed_in, expect_signed_in, hand_over
from browser.witness import Witness
from webex_oauth.settings.pages import PagePath
from webex_oauth.web.rendering import Assets

pytestmark = pytest.mark.browser

TOKEN_PATH = "/v1/access_token"
AUTHORIZE_PATH = "/v1/authorize"

SITES = pytest.mark.parametrize("site", ["origin", "cousin"])
"""Another site, and the same site on another port."""


def route_paths(scene: Scene) -> list[str]:
    """Return a path of every page, from the application's own table."""
    file = Assets.packaged().path("app.css")
    return [file if path == PagePath.STATIC else path for path in scene.pages]


def session_id(page: Page, scene: Scene) -> str:
    """Read the session cookie from the browser's jar."""
    cookies = page.context.cookies(scene.origin)
    return next(one["value"] for one in cookies if one["name"] == scene.session_cookie)


def attempts(page: Page) -> list[str]:
    """List the sign-ins that this browser has begun."""
    return [one["name"] for one in page.context.cookies() if "attempt" in one["name"]]


def prefetch(page: Page, elsewhere: Elsewhere, url: str) -> None:
    """Visit a page on the same site that makes the browser fetch *url* ahead of time."""
    elsewhere.pages["/"] = f'<link rel=prefetch href="{escape(url)}">'
    page.goto(elsewhere.cousin)
    page.wait_for_function("url => performance.getEntriesByName(url).length === 1", arg=url)


@pytest.mark.check("A19")
@SITES
def test_no_route_can_be_framed(
    context: BrowserContext, scene: Scene, elsewhere: Elsewhere, site: str
) -> None:
    paths = route_paths(scene)
    frames = "".join(f'<iframe src="{scene.origin}{path}"></iframe>' for path in paths)
    elsewhere.pages |= {"/framing": frames + '<iframe src="/control"></iframe>', "/control": "here"}
    page = enter_signed_in(context, scene)

    page.goto(getattr(elsewhere, site) + "/framing")

    shown = [frame.url for frame in page.frames[1:]]
    assert len(shown) == len(paths) + 1 > 8
    assert shown.pop().endswith("/control")
    assert {url.partition(":")[0] for url in shown} <= {"chrome-error", ""}
    assert not attempts(page)


@pytest.mark.check("A19")
def test_the_consent_pages_cannot_be_framed(page: Page, scene: Scene, elsewhere: Elsewhere) -> None:
    consent = scene.browser().start()
    elsewhere.pages["/framing"] = f'<iframe src="{escape(consent)}"></iframe>'

    with page.expect_event("framenavigated", lambda one: one.url.startswith("chrome-error:")):
        page.goto(f"{elsewhere.cousin}/framing")

    assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"]
    assert scene.emulator.journal.count("GET", AUTHORIZE_PATH) == 1


@pytest.mark.check("A16", "D09")
@SITES
def test_a_form_on_another_site_cannot_start_a_sign_in(
    context: BrowserContext, scene: Scene, elsewhere: Elsewhere, site: str
) -> None:
    elsewhere.pages["/"] = f'<form method=post action="{scene.origin}/login"><button>Go</button>'
    page = enter_signed_in(context, scene)
    page.goto(getattr(elsewhere, site))

    page.get_by_role("button", name="Go").click()

    expect(page.get_by_text("This page was open too long")).to_be_visible()
    assert not attempts(page)
    assert scene.emulator.journal.count("GET", AUTHORIZE_PATH) == 0
    page.goto(scene.origin)
    expect_signed_in(page, MIRA_NAME)


@pytest.mark.check("A16")
@SITES
def test_a_link_on_another_site_asks_before_it_starts_a_sign_in(
    context: BrowserContext, scene: Scene, elsewhere: Elsewhere, site: str
) -> None:
    elsewhere.pages["/"] = f'<a href="{scene.origin}/login?return_to=/listrooms">Go</a>'
    page = enter_signed_in(context, scene)
    before = session_id(page, scene)
    page.goto(getattr(elsewhere, site))

    page.get_by_role("link", name="Go").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in with Webex?")
    asked_already = scene.emulator.journal.count("GET", AUTHORIZE_PATH)
    page.get_by_role("button", name="Sign in with Webex").click()
    page.get_by_role("button", name=MIRA_NAME).wait_for()

    assert asked_already == 0
    assert session_id(page, scene) == before


@pytest.mark.check("A16")
@SITES
def test_images_and_background_requests_of_another_site_start_nothing(
    context: BrowserContext, scene: Scene, elsewhere: Elsewhere, site: str, witness: Witness
) -> None:
    login = f"{scene.origin}/login"
    elsewhere.pages["/"] = (
        f'<img src="{login}"><script src="{login}"></script><link rel=stylesheet href="{login}">'
        f'<object data="{login}"></object><video src="{login}"></video>'
    )
    page = enter_signed_in(context, scene)

    page.goto(getattr(elsewhere, site))
    page.evaluate(
        "url => fetch(url, {mode: 'no-cors', credentials: 'include'}).catch(() => 0)", login
    )

    assert len(witness.urls("/login")) >= 5
    assert not attempts(page)
    assert scene.emulator.journal.count("GET", AUTHORIZE_PATH) == 0


@pytest.mark.check("D05", "D09")
@SITES
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_site_cannot_sign_a_person_out(
    context: BrowserContext, scene: Scene, elsewhere: Elsewhere, site: str, method: str
) -> None:
    action = f'method={method} action="{scene.origin}/logout"'
    elsewhere.pages["/"] = f"<form {action}><button>Go</button></form>"
    page = enter_signed_in(context, scene)
    page.goto(getattr(elsewhere, site))

    page.get_by_role("button", name="Go").click()
    page.wait_for_url(f"{scene.origin}/logout*")
    page.goto(scene.origin)

    expect_signed_in(page, MIRA_NAME)


@pytest.mark.check("A06")
def test_a_prefetched_callback_is_not_spent(
    context: BrowserContext, scene: Scene, elsewhere: Elsewhere
) -> None:
    browser = scene.browser()
    callback = browser.consent(browser.start())
    hand_over(browser, context)
    page = context.new_page()

    prefetch(page, elsewhere, callback)

    assert scene.emulator.journal.count("POST", TOKEN_PATH) == 0
    page.goto(callback)
    expect_signed_in(page, MIRA_NAME)


@pytest.mark.check("A16")
def test_a_prefetched_sign_in_link_starts_nothing(
    page: Page, scene: Scene, elsewhere: Elsewhere
) -> None:
    prefetch(page, elsewhere, f"{scene.origin}/login")

    assert not attempts(page)
    assert scene.emulator.journal.count("GET", AUTHORIZE_PATH) == 0


@pytest.mark.check("A02")
def test_a_callback_slipped_to_another_browser_signs_nobody_in(
    context: BrowserContext, scene: Scene, elsewhere: Elsewhere
) -> None:
    attacker: Browser = scene.browser()
    callback = attacker.consent(attacker.start(), "luca@acme.example")
    elsewhere.pages["/"] = f'<a href="{escape(callback)}">Go</a>'
    page = enter_signed_in(context, scene)
    page.goto(elsewhere.origin)

    page.get_by_role("link", name="Go").click()
    expect(page.get_by_text("a link from somebody else cannot use it")).to_be_visible()
    page.goto(scene.origin)

    expect_signed_in(page, MIRA_NAME)
