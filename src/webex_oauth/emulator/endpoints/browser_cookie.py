"""The broker's own cookie: host-only, sent to the broker's paths alone, and named after its port.

Cookies ignore ports. Without the path the application on the same host would be sent this one,
and without the port in its name a second emulator on this machine would overwrite it.
"""

from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.identity.sign_ins import BrowserSession
from webex_oauth.emulator.shelf import Shelf

COOKIE_PATH = "/idb/oauth2/v1"


def cookie_name(request: Request) -> str:
    """Return the name of the cookie at the port that the browser asked."""
    return f"webex_emulator_browser_{request.url.port or request.url.scheme}"


def browser_id(request: Request) -> str:
    """Return what the browser's cookie says; empty when it has none."""
    return request.cookies.get(cookie_name(request), "")


def read_browser(request: Request, browsers: Shelf[str, BrowserSession]) -> BrowserSession | None:
    """Find the session of the browser that asks."""
    return browsers.get(browser_id(request))


def set_browser_cookie(request: Request, response: Response, session: BrowserSession) -> None:
    """Set the cookie by which the browser is signed in."""
    name = cookie_name(request)
    response.set_cookie(name, session.id, path=COOKIE_PATH, httponly=True, samesite="lax")


def delete_browser_cookie(request: Request, response: Response) -> None:
    """Delete the cookie."""
    name = cookie_name(request)
    response.delete_cookie(name, path=COOKIE_PATH, httponly=True, samesite="lax")
