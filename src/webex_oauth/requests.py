"""An access token that is always good, for `requests`: `auth=BearerAuth(grant)`."""

from typing import Any, Final

from requests import PreparedRequest, Response
from requests.auth import AuthBase
from requests.utils import rewind_body

from webex_oauth.library.synchronous import Grant
from webex_oauth.secret import Secret

SCHEME: Final = "Bearer "
UNAUTHORIZED: Final = 401


class BearerAuth(AuthBase):
    """Puts the grant's access token on requests to Webex's API, and on no others.

    A token that Webex refuses is refreshed once, and the request sent once more; if its body cannot
    be read again, the refusal is returned. Raises what `Grant.access_token` raises. A redirect to
    another origin takes no token along.
    """

    def __init__(self, grant: Grant) -> None:
        if not isinstance(grant, Grant):
            raise TypeError(f"BearerAuth takes a Grant of Integration, not {type(grant).__name__}")
        self._grant = grant

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token on *request* if it goes to Webex's API."""
        if self._grant.platform.takes_token(request.url or ""):
            self._put(request, self._grant.access_token())
            request.register_hook("response", self._answered)  # type: ignore[no-untyped-call]
        return request

    def _answered(self, response: Response, **how: Any) -> Response:
        """Repeat a request whose token was refused; redirects come by here too, each by itself."""
        request = response.request
        presented = request.headers.get("Authorization") or ""
        is_ours = presented.startswith(SCHEME) and self._grant.platform.takes_token(response.url)
        if response.status_code != UNAUTHORIZED or not is_ours:
            return response
        _ = response.content  # is kept; the connection is free for the next request
        response.close()
        refused = Secret(presented.removeprefix(SCHEME))
        self._put(request, self._grant.access_token(refused=refused))
        if not _rewound(request):
            return response
        again: Response = response.connection.send(request, **how)
        again.history.append(response)
        return again

    @staticmethod
    def _put(request: PreparedRequest, token: Secret) -> None:
        request.headers["Authorization"] = SCHEME + token.reveal()


def _rewound(request: PreparedRequest) -> bool:
    """Return whether the body of *request* is as it was before it was sent."""
    if request.body is None or isinstance(request.body, str | bytes):
        return True
    if not isinstance(request._body_position, int):  # noqa: SLF001 - requests itself rewinds with it for redirects
        return False
    rewind_body(request)
    return True
