"""Take the pictures of README: run the demo, sign in, write docs/images/*.png.

Run it with the development environment: .venv/bin/python scripts/take-screenshots.py
"""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
START_SECONDS = 20.0
STOP_SECONDS = 20.0

Scheme = Literal["light", "dark"]


def main() -> None:
    """Take the two pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with running_demo() as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        take(persons_page(browser, origin, "light"), "person-light")
        page = persons_page(browser, origin, "dark")
        page.get_by_role("link", name="See your spaces").click()
        page.get_by_text("250 spaces in all.").wait_for()
        take(page, "spaces-dark")
        browser.close()


def persons_page(browser: Browser, origin: str, scheme: Scheme) -> Page:
    """Sign Mira in."""
    page = browser.new_page(
        color_scheme=scheme,
        locale="en-GB",
        timezone_id="Europe/Berlin",
        viewport={"width": 800, "height": 720},
        reduced_motion="reduce",
    )
    page.goto(origin)
    page.get_by_role("button", name="Sign in with Webex").click()
    page.get_by_role("button", name="Mira Ito").click()
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("link", name="See your spaces").wait_for()
    return page


def take(page: Page, name: str) -> None:
    """Write what the window shows."""
    page.wait_for_load_state("load")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    print(path.relative_to(ROOT), f"{path.stat().st_size:,} bytes")


@contextmanager
def running_demo() -> Iterator[str]:
    """Run the demo on free ports; give the application's origin."""
    port, emulator_port = free_ports(2)
    command = [sys.executable, "-m", "webex_oauth", "demo"]
    arguments = [f"--port={port}", f"--emulator-port={emulator_port}"]
    demo = subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL)  # noqa: S603 - ours
    try:
        wait_until_ready(demo, port)
        yield f"http://localhost:{port}"
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(STOP_SECONDS)


def wait_until_ready(demo: subprocess.Popen[bytes], port: int) -> None:
    """Ask until the application says that it can serve."""
    give_up_at = time.monotonic() + START_SECONDS
    while not is_ready(port):
        if demo.poll() is not None or time.monotonic() > give_up_at:
            raise SystemExit("the demo did not start")
        time.sleep(0.1)


def is_ready(port: int) -> bool:
    """Ask once."""
    connection = HTTPConnection("localhost", port, timeout=1.0)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200  # noqa: PLR2004 - OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


if __name__ == "__main__":
    main()
