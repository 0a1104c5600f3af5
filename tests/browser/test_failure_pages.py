"""The page of every failure in a real browser: nothing that it loads is missing."""

from urllib.parse import urlsplit

import pytest
from failing_pages import failing_pages, path_of
from playwright.sync_api import Page, expect
from scene import Scene

from browser.axe import Axe
from browser.witness import Witness
from webex_oauth.flows.failures import FAILURES

pytestmark = pytest.mark.browser

NAMED = """() => [...document.querySelectorAll("link[rel=stylesheet], script")]
    .map((element) => element.href || element.src)"""
GOT = """() => performance.getEntriesByType("resource")
    .filter((entry) => entry.responseStatus === 200).map((entry) => entry.name)"""


def missing(page: Page, url: str) -> list[str]:
    """Open *url*; return what the page names to load and did not get."""
    page.goto(url, wait_until="load")
    named, got = page.evaluate(NAMED), page.evaluate(GOT)
    assert len(named) == 3
    return [one for one in named if one not in got]


def test_every_failure_page_gets_all_that_it_loads(page: Page, scene: Scene) -> None:
    with failing_pages(scene):
        incomplete = {
            failure.name: missing(page, scene.origin + path_of(failure))
            for failure in FAILURES.values()
        }

    assert {name: files for name, files in incomplete.items() if files} == {}


def test_the_page_at_the_wrong_address_gets_all_that_it_loads_and_leads_to_the_right_one(
    page: Page, scene: Scene, axe: Axe, witness: Witness
) -> None:
    wrong = f"http://127.0.0.1:{scene.port}"
    witness.origins.add(wrong)

    assert missing(page, f"{wrong}/listrooms") == []

    expect(page.get_by_role("heading", level=1)).to_have_text(FAILURES["wrong-host"].title)
    # Headless browsers leave an icon alone.
    icon = page.request.get(page.evaluate("document.querySelector('link[rel=icon]').href"))
    assert (icon.status, icon.headers["content-type"]) == (200, "image/svg+xml")
    assert axe.violations(page) == []
    page.get_by_role("link", name=scene.origin).click()
    assert urlsplit(page.url).netloc == urlsplit(scene.origin).netloc


@pytest.mark.parametrize("name", ["store-unavailable", "overloaded"])
def test_axe_finds_nothing_wrong_with_a_page_that_cannot_be_served(
    page: Page, scene: Scene, axe: Axe, name: str
) -> None:
    with failing_pages(scene):
        page.goto(scene.origin + path_of(FAILURES[name]))

        assert axe.violations(page) == []
