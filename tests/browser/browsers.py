"""Real browsers, headless, that can reach nothing but this machine."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright

CHROMIUM = Path("/usr/bin/chromium")
FIREFOX = Path("/usr/bin/firefox-esr")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
# Whatever is not on this machine goes to a proxy that does not exist.
PREFERENCES: dict[str, str | float | bool] = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
}
START_MILLISECONDS = 30_000

OpenContext: TypeAlias = Callable[..., BrowserContext]
"""Open a browser that has never been here; takes what Playwright's new_context takes."""


@contextmanager
def running_chromium(playwright: Playwright) -> Iterator[Browser]:
    """Start a Chromium, and end it."""
    if not CHROMIUM.exists():
        missing("Chromium (scripts/install-browser)")
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=list(ARGUMENTS), timeout=START_MILLISECONDS
    )
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def running_firefox(playwright: Playwright) -> Iterator[Browser]:
    """Start Debian's Firefox, to which Playwright speaks WebDriver BiDi, and end it."""
    if not FIREFOX.exists():
        missing("Firefox (scripts/install-browser)")
    browser = playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=FIREFOX,
        firefox_user_prefs=PREFERENCES,
        timeout=START_MILLISECONDS,
    )
    try:
        yield browser
    finally:
        browser.close()


def missing(what: str) -> None:
    """Skip the test that needs *what*; in CI nothing may be missing."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI is set", pytrace=False)
    pytest.skip(f"{what} is missing")
