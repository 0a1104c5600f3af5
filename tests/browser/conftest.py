"""One Chromium, one application and one local Webex for this folder; a fresh profile each test.

The fixtures end with the folder: while Playwright is open, its event loop holds this thread.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from scene import Scene

from browser.axe import Axe
from browser.browsers import OpenContext, missing, running_chromium, running_firefox
from browser.elsewhere import Elsewhere
from browser.witness import Witness

STEP_MILLISECONDS = 10_000


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=STEP_MILLISECONDS)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    with running_chromium(playwright) as browser:
        yield browser


@pytest.fixture(scope="package")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    with running_firefox(playwright) as browser:
        yield browser


@pytest.fixture(scope="package")
def shared_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("browser")) as scene:
        yield scene


@pytest.fixture
def scene(shared_scene: Scene) -> Scene:
    shared_scene.emulator.reset()
    return shared_scene


@pytest.fixture
def witness(scene: Scene) -> Witness:
    return Witness({scene.origin, scene.emulator.origin, scene.emulator.broker_origin})


@pytest.fixture
def open_context(chromium: Browser, witness: Witness) -> Iterator[OpenContext]:
    """Open browsers that have never been here; see that none of them misbehaves."""
    contexts: list[BrowserContext] = []

    def open_one(**options: Any) -> BrowserContext:
        context = chromium.new_context(**{"locale": "en-GB", "timezone_id": "UTC"} | options)
        contexts.append(context)
        context.set_default_timeout(STEP_MILLISECONDS)
        witness.watch(context)
        return context

    yield open_one
    for context in contexts:
        context.close()
    assert witness.strangers() == set()
    assert witness.dialogs == []
    assert witness.script_errors == []


@pytest.fixture
def context(open_context: OpenContext) -> BrowserContext:
    return open_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def elsewhere(witness: Witness) -> Iterator[Elsewhere]:
    with Elsewhere() as site:
        witness.origins |= {site.origin, site.cousin}
        yield site


@pytest.fixture(scope="package")
def axe() -> Axe:
    file = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
    if not file.exists():
        missing("axe-core (npm ci in tests/browser)")
    return Axe(file.read_text(encoding="utf-8"))
