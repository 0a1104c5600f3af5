"""The page that a terminal's sign-in ends on, as Chromium shows it: no code, text as text."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from library.people import LUCA, World
from playwright.sync_api import Browser, expect
from scene import Scene
from services.processes import free_port
from waiting import LIMIT_SECONDS

from webex_oauth import Integration
from webex_oauth.emulator import Visitor
from webex_oauth.emulator.world import HOSTILE_TITLES
from webex_oauth.errors import AuthorizationRefused
from webex_oauth.oauth.http import read_text

pytestmark = [pytest.mark.browser, pytest.mark.check("C06")]

TELLING = [title for title in HOSTILE_TITLES if set(title) & set("<&\"'\u202e\x1b")]


def test_a_person_ends_on_a_page_without_a_code_and_reads_a_refusal_as_text(
    chromium: Browser, scene: Scene, tmp_path: Path
) -> None:
    place = f"http://localhost:{free_port()}/oauth"
    world, urls = World(scene.emulator, tmp_path, place), Queue[str]()
    context = chromium.new_context()
    page, requested, dialogs = context.new_page(), set[str](), list[str]()
    page.on("request", lambda request: requested.add(request.url.partition("?")[0]))
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))

    with Integration(world.settings) as webex, ThreadPoolExecutor(1) as pool:
        for title in TELLING:
            signing_in = pool.submit(webex.sign_in.with_browser, open_browser=urls.put)
            state = parse_qs(urlsplit(urls.get(timeout=LIMIT_SECONDS)).query)["state"][0]
            fields = {"state": state, "error": "access_denied", "error_description": title}
            page.goto(f"{place}?{urlencode(fields)}")
            expect(page).to_have_url(place)
            expect(page.locator("h1")).to_have_text("Not signed in")
            assert (read_text(title) or "").removesuffix(".") in str(
                page.locator("p").first.text_content()
            )
            assert page.locator("main *").count() == 3
            with pytest.raises(AuthorizationRefused):
                signing_in.result(LIMIT_SECONDS)
        signing_in = pool.submit(webex.sign_in.with_browser, open_browser=urls.put)
        page.goto(Visitor().sign_in(urls.get(timeout=LIMIT_SECONDS), LUCA))
        expect(page.locator("h1")).to_have_text("Signed in")
        assert signing_in.result(LIMIT_SECONDS).email == LUCA

    assert page.url == place
    assert dialogs == []
    assert {url for url in requested if not url.endswith("/favicon.ico")} == {place}
    context.close()
