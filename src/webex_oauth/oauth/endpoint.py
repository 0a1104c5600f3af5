"""An authorization server's endpoints: how a client asks them, and how they refuse."""

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote_plus

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.foreign_text import read_text
from webex_oauth.oauth.http import HttpRequest, HttpResponse, post_form
from webex_oauth.oauth.json_object import NO_MEMBERS, read_json_object
from webex_oauth.oauth.retry_after import check_not_failed, check_not_throttled
from webex_oauth.oauth.server import AuthorizationServer, Client, ClientAuthentication

_UNAUTHORIZED = 401
_CLIENT_ERRORS = range(400, 500)


def client_request(
    url: str, fields: Mapping[str, str], client: Client, authentication: ClientAuthentication
) -> HttpRequest:
    """Build the POST of *fields*, with the client's credentials where *authentication* says."""
    if authentication is ClientAuthentication.BASIC:
        return post_form(url, fields, {"authorization": _basic(client)})
    credentials = {
        "client_id": client.client_id,
        "client_secret": client.client_secret.reveal(),
    }
    return post_form(url, {**fields, **credentials}, {})


def _basic(client: Client) -> str:
    # Each half is form-encoded first, so that a colon in the id cannot move the border.
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret.reveal())}"
    return f"Basic {b64encode(pair.encode('ascii')).decode('ascii')}"


def check_not_refused(
    server: AuthorizationServer, response: HttpResponse, requested_at: int
) -> None:
    """Raise the error that a 4xx or 5xx answer stands for; any other status passes.

    RateLimited and ServerFailed for a server that cannot answer now, else what *server* reads
    from the refusal. Raises InvalidResponse for a refusal that says nothing readable.
    """
    check_not_throttled(response, requested_at)
    check_not_failed(response, requested_at, _tracking_id(server, response))
    if response.status in _CLIENT_ERRORS:
        raise server.refusal(response.status, _members(response))


def _members(response: HttpResponse) -> Mapping[str, object]:
    try:
        return read_json_object(response)
    except InvalidResponse:
        # The status alone says that the client is not accepted (RFC 6749 section 5.2).
        if response.status == _UNAUTHORIZED:
            return NO_MEMBERS
        raise


def _tracking_id(server: AuthorizationServer, response: HttpResponse) -> str | None:
    if server.tracking_header is None:
        return None
    return read_text(response.headers.get(server.tracking_header))
