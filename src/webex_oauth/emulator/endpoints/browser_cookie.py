"""The emulator's own cookie: host-only, and sent to its sign-in paths alone.

Cookies ignore ports, so the application on the same host would otherwise be sent this one.
"""

from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.identity.browsers import Browsers, BrowserSession

COOKIE_NAME = "webex_emulator_browser"
COOKIE_PATHS = ("/v1/authorize", "/idb/oauth2/v1")


def read_browser(request: Request, browsers: Browsers) -> BrowserSession | None:
    """Find the session of the browser that asks."""
    return browsers.find(request.cookies.get(COOKIE_NAME, ""))


def set_browser_cookie(response: Response, session: BrowserSession) -> None:
    """Let the browser remember that it is signed in."""
    for path in COOKIE_PATHS:
        response.set_cookie(COOKIE_NAME, session.id, path=path, httponly=True, samesite="lax")


def delete_browser_cookie(response: Response) -> None:
    """Let the browser forget."""
    for path in COOKIE_PATHS:
        response.delete_cookie(COOKIE_NAME, path=path, httponly=True, samesite="lax")
