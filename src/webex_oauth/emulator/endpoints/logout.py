"""Logout: end the browser's session at the local Webex and go on to where one came from."""

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webex_oauth.emulator.endpoints.browser_cookie import browser_id, delete_browser_cookie
from webex_oauth.emulator.pages.views import Pages, SignedOutPage
from webex_oauth.emulator.state import State


class LogoutEndpoint:
    """End browser sessions."""

    def __init__(self, state: State, pages: Pages) -> None:
        self._state = state
        self._pages = pages

    def routes(self) -> list[Route]:
        """List the paths of this endpoint."""
        return [Route("/idb/oauth2/v1/logout", self.sign_out)]

    async def sign_out(self, request: Request) -> Response:
        """Sign the browser out, and redirect only to where an integration lives."""
        self._state.browsers.take(browser_id(request))
        if self._state.switchboard.options.logout_revokes_token:
            self._state.tokens.revoke(request.query_params.get("token", ""))
        response = self._answer(request.query_params.get("goto", ""))
        delete_browser_cookie(request, response)
        return response

    def _answer(self, goto: str) -> Response:
        if self._is_registered_origin(goto):
            redirect = Response(None, HTTPStatus.FOUND, headers={"Location": goto})
            return self._pages.protected(redirect)
        return self._pages.answer(SignedOutPage(is_goto_refused=bool(goto)))

    def _is_registered_origin(self, url: str) -> bool:
        origin = _origin(url)
        return origin is not None and any(
            _origin(redirect_uri) == origin
            for integration in self._state.integrations
            for redirect_uri in integration.redirect_uris
        )


def _origin(url: str) -> tuple[str, str] | None:
    if not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    is_web = parts.scheme in ("http", "https") and bool(parts.netloc)
    return (parts.scheme, parts.netloc.lower()) if is_web else None
