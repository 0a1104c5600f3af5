"""Where a person lands after signing in: always here, whatever a link asked for."""

from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page
from scene import Scene

from browser.steps import AMARA, hand_over
from browser.witness import origin_of

pytestmark = [pytest.mark.browser, pytest.mark.check("A13")]

ELSEWHERE = "evil.example"
HOSTILE = (
    *(f"{lead}{ELSEWHERE}" for lead in ("//", "///", "////", "/\\", "\\\\", "\\/", "/\\/", "\\")),
    *(f"/{gap}/{ELSEWHERE}" for gap in ("\t", "\n", "\r", "\r\n", " ", "\0", "\x0b", "\x7f")),
    *(f"{lead}//{ELSEWHERE}" for lead in ("\t", "\n", " ", "\x00", "\u00a0", "\ufeff", "\u200b")),
    *(f"{scheme}{ELSEWHERE}" for scheme in ("http://", "https://", "HTTPS://", "ftp://", "ws://")),
    *(f"{scheme}{ELSEWHERE}" for scheme in ("https:", "https:/", "https:\\\\", "http:///")),
    *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x"),
    *("vbscript:x", "blob:x", "about:blank", "file:///etc/passwd", "view-source:/"),
    *(f"/%2f{ELSEWHERE}", f"/%2F%2F{ELSEWHERE}", f"/%5c{ELSEWHERE}", f"/%09/{ELSEWHERE}"),
    *(f"/%252f{ELSEWHERE}", f"/%0d%0aLocation:%20//{ELSEWHERE}", f"/.//{ELSEWHERE}"),
    *(
        f"/..//{ELSEWHERE}",
        f"/x/..//{ELSEWHERE}",
        f"/;//{ELSEWHERE}",
        f"{ELSEWHERE}",
        f"@{ELSEWHERE}",
    ),
    *(
        f"/\u2215{ELSEWHERE}",
        f"/\uff0f{ELSEWHERE}",
        f"\uff0f\uff0f{ELSEWHERE}",
        f"/\u3002{ELSEWHERE}",
    ),
    *(f"//localhost@{ELSEWHERE}", f"http://localhost:80@{ELSEWHERE}", f"//[::1]@{ELSEWHERE}"),
    *("", "?", "#", ".", "..", "x", "/" + "a" * 3_000, "/#//" + ELSEWHERE, "//", "/\\"),
)
HARMLESS = (
    "/",
    "/index.html",
    "/listrooms",
    "/listrooms?filter=plan",
    "/listrooms?filter=a%20b%26c",
    f"/listrooms?filter=https://{ELSEWHERE}/",
    "/sessions",
)


def landing(context: BrowserContext, scene: Scene, return_to: str) -> str:
    """Sign in with *return_to*, and tell the URL that the browser ends on."""
    browser = scene.browser()
    begun = browser.get(f"/login?return_to={quote(return_to, safe='')}")
    callback = browser.consent(begun.headers["location"], AMARA)
    context.clear_cookies()
    hand_over(browser, context)
    [page] = context.pages
    page.goto(callback)
    return page.url


@pytest.fixture
def tab(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.mark.usefixtures("tab")
def test_a_hostile_return_to_leads_home(context: BrowserContext, scene: Scene) -> None:
    landings = {text: landing(context, scene, text) for text in HOSTILE}

    assert len(landings) > 64
    assert {origin_of(url) for url in landings.values()} == {scene.origin}
    assert {text: url for text, url in landings.items() if url != f"{scene.origin}/"} == {}


@pytest.mark.usefixtures("tab")
def test_a_path_of_this_application_is_where_one_lands(
    context: BrowserContext, scene: Scene
) -> None:
    landings = [landing(context, scene, text) for text in HARMLESS]

    assert landings == [scene.origin + text for text in HARMLESS]
