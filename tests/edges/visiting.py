"""A visit: a sign-in by plain links, as a script does it."""

import requests

from webex_oauth.emulator import Visitor

MIRA = "mira@acme.example"
SECONDS = 30


def sign_in(port: int) -> requests.Session:
    """Sign in at the application on *port*."""
    browser, origin = requests.Session(), f"http://localhost:{port}"
    started = browser.get(f"{origin}/login", allow_redirects=False, timeout=SECONDS)
    callback = Visitor().sign_in(started.headers["location"], MIRA, "accept")
    assert browser.get(callback, timeout=SECONDS).status_code == 200
    return browser


def sign_out(browser: requests.Session, port: int) -> None:
    """Sign out at the application on *port*."""
    origin = f"http://localhost:{port}"
    page = browser.get(f"{origin}/logout", timeout=SECONDS).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = browser.post(
        f"{origin}/logout", {"csrf_token": token}, headers={"origin": origin}, timeout=SECONDS
    )
    assert answer.status_code == 200
