"""A real Chromium, headless, that can reach nothing but this machine."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

EXECUTABLE = Path("/usr/bin/chromium")
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
START_MILLISECONDS = 30_000

OpenContext: TypeAlias = Callable[..., BrowserContext]
"""Open a browser that has never been here; takes what Playwright's new_context takes."""


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Start one, and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=EXECUTABLE, args=list(ARGUMENTS), timeout=START_MILLISECONDS
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
