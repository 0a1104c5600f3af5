"""Signing in and out, in Chromium and in Firefox, in each way that people come to an application.

Between the application and Webex's first page are further origins that only redirect: Webex's front
door hands the browser on to its broker, and the broker to a company's own sign-in.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import trustme
from msgspec.structs import replace
from playwright.sync_api import Browser, BrowserContext, Page, expect
from scene import Scene
from services.haproxy import running_front
from services.processes import free_port

from browser.elsewhere import Elsewhere
from browser.steps import (
    MIRA_NAME,
    accept,
    choose,
    decline,
    expect_signed_in,
    path_of,
    sign_in,
    sign_out,
    start,
)
from webex_oauth.settings import Settings, changed

pytestmark = pytest.mark.browser

DIRECTLY = "directly"
WITHOUT_METADATA = "through a proxy that drops Sec-Fetch-*"
OVER_TLS = "over TLS"
RETURN_TO_BY_TAB = ("/listrooms?filter=plan", "/sessions", "/index.html")
HIDING_WHERE_IT_IS = '<meta name="referrer" content="no-referrer">'


@contextmanager
def running_site(way: str, folder: Path, hops: Elsewhere) -> Iterator[Scene]:
    """Run an application that people come to in one of the ways."""

    def before_webex(settings: Settings) -> Settings:
        platform = settings.platform
        hops.redirects["/first"] = f"{hops.cousin}/second"
        hops.redirects["/second"] = platform.server.authorization_endpoint
        server = replace(platform.server, authorization_endpoint=f"{hops.origin}/first")
        return changed(settings, platform=replace(platform, server=server))

    with ExitStack() as exits:
        if way == DIRECTLY:
            yield exits.enter_context(Scene(folder, change_settings=before_webex))
            return
        port, is_tls = free_port(), way == OVER_TLS
        origin = f"{'https' if is_tls else 'http'}://localhost:{port}"
        scene = Scene(folder, public_uri=f"{origin}/oauth", change_settings=before_webex)
        exits.enter_context(scene)
        certificate = certificate_text() if is_tls else ""
        dropped = () if is_tls else ("sec-fetch-",)
        front = running_front(port, scene.port, certificate=certificate, dropped=dropped)
        exits.enter_context(front)
        yield scene


def certificate_text() -> str:
    """Write a certificate of localhost, with its key."""
    issued = trustme.CA().issue_cert("localhost")
    return issued.private_key_and_cert_chain_pem.bytes().decode("ascii")


@pytest.fixture(scope="module")
def hops() -> Iterator[Elsewhere]:
    with Elsewhere() as hops:
        yield hops


@pytest.fixture(scope="module", params=[DIRECTLY, WITHOUT_METADATA, OVER_TLS])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, hops: Elsewhere
) -> Iterator[Scene]:
    with running_site(request.param, tmp_path_factory.mktemp("site"), hops) as scene:
        yield scene


@pytest.fixture
def scene(site: Scene) -> Scene:
    site.emulator.reset()
    return site


@pytest.fixture(params=["chromium", "firefox"])
def context(request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    browser: Browser = request.getfixturevalue(request.param)
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.mark.check("A15", "D06", "D11")
def test_a_person_declines_signs_in_and_out_and_in_again(page: Page, scene: Scene) -> None:
    page.context.add_cookies([{"name": "neighbours", "value": "signed in", "url": scene.origin}])
    start(page, scene)
    choose(page, MIRA_NAME)
    decline(page)
    page.get_by_role("button", name="Try again").click()
    accept(page)
    expect_signed_in(page, MIRA_NAME)
    assert page.url == f"{scene.origin}/"

    sign_out(page)
    assert [one["name"] for one in page.context.cookies(scene.origin)] == ["neighbours"]
    page.get_by_role("button", name="Sign in again").click()
    accept(page)

    expect_signed_in(page, MIRA_NAME)


@pytest.mark.check("A04")
def test_tabs_each_reach_their_own_page(context: BrowserContext, scene: Scene) -> None:
    tabs = [context.new_page() for _ in RETURN_TO_BY_TAB]
    for tab, return_to in zip(tabs, RETURN_TO_BY_TAB, strict=True):
        tab.goto(f"{scene.origin}/login?return_to={return_to}")

    for tab in reversed(tabs):
        choose(tab, MIRA_NAME)
        accept(tab)
        expect(tab.get_by_role("heading", level=1)).to_be_visible()

    assert tuple(path_of(tab) for tab in tabs) == RETURN_TO_BY_TAB
    assert scene.emulator.journal.count("POST", "/v1/access_token") == len(tabs)


@pytest.mark.check("D05", "D09")
def test_a_form_of_a_neighbour_signs_nobody_out(page: Page, scene: Scene) -> None:
    sign_in(page, scene)

    with Elsewhere() as neighbour:
        for head in ("", HIDING_WHERE_IT_IS):
            action = f'method=post action="{scene.origin}/logout"'
            neighbour.pages["/"] = f"{head}<form {action}><button>Go</button></form>"
            page.goto(neighbour.cousin)
            page.get_by_role("button", name="Go").click()
            page.wait_for_url(f"{scene.origin}/logout")
    page.goto(scene.origin)

    expect_signed_in(page, MIRA_NAME)
