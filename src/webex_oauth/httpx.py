"""An access token that is always good, for `httpx`: `auth=BearerAuth(grant)`."""

from collections.abc import AsyncGenerator, Generator
from typing import Final

import httpx

from webex_oauth.library.grants import AsyncGrant
from webex_oauth.library.synchronous import Grant
from webex_oauth.secret import Secret

WRONG_CLIENT: Final = (
    "a grant of Integration goes with httpx.Client, one of AsyncIntegration with httpx.AsyncClient"
)


class BearerAuth(httpx.Auth):
    """Puts the grant's access token on requests to Webex's API, and on no others.

    It works for `Client` with a Grant and for `AsyncClient` with an AsyncGrant. A token that Webex
    refuses is refreshed once, and the request sent once more; if its body is a stream, the refusal
    is returned. Raises what `Grant.access_token` raises. A redirect to another origin takes no
    token along.
    """

    def __init__(self, grant: Grant | AsyncGrant) -> None:
        if not isinstance(grant, Grant | AsyncGrant):
            raise TypeError(f"BearerAuth takes a Grant or AsyncGrant, not {type(grant).__name__}")
        self._grant = grant

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Send *request* with the token, and once more if that is refused."""
        grant = self._grant
        if not isinstance(grant, Grant):
            raise TypeError(WRONG_CLIENT)
        if not grant.platform.takes_token(str(request.url)):
            yield request
            return
        token = grant.access_token()
        response = yield _with(token, request)
        if self._is_refused(response):
            token = grant.access_token(refused=token)
            if _can_be_repeated(request):
                yield _with(token, request)

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send *request* with the token, and once more if that is refused."""
        grant = self._grant
        if not isinstance(grant, AsyncGrant):
            raise TypeError(WRONG_CLIENT)
        if not grant.platform.takes_token(str(request.url)):
            yield request
            return
        token = await grant.access_token()
        response = yield _with(token, request)
        if self._is_refused(response):
            token = await grant.access_token(refused=token)
            if _can_be_repeated(request):
                yield _with(token, request)

    def _is_refused(self, response: httpx.Response) -> bool:
        """Return whether it was Webex's API that refused the token."""
        has_token = "authorization" in response.request.headers
        is_webex = self._grant.platform.takes_token(str(response.request.url))
        return response.status_code == httpx.codes.UNAUTHORIZED and has_token and is_webex


def _with(token: Secret, request: httpx.Request) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token.reveal()}"
    return request


def _can_be_repeated(request: httpx.Request) -> bool:
    try:
        _ = request.content
    except httpx.RequestNotRead:
        return False
    return True
