"""Who takes part: an authorization server and its client (RFC 6749 section 1.1)."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias
from urllib.parse import quote_plus

from webex_oauth.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidResponse,
    TokenError,
    TokenRequestRefused,
)
from webex_oauth.oauth.http import (
    NO_MEMBERS,
    HttpRequest,
    HttpResponse,
    check_not_failed,
    check_not_throttled,
    post_form,
    read_json_object,
    read_text,
)
from webex_oauth.secret import Secret

Refusal: TypeAlias = Callable[[int, Mapping[str, object]], TokenError]
"""Read the status and the members of a refusal as the error that says what to do."""

_UNAUTHORIZED = 401


def standard_refusal(status: int, members: Mapping[str, object]) -> TokenError:
    """Read a refusal that keeps to RFC 6749 section 5.2."""
    error = read_text(members.get("error"))
    description = read_text(members.get("error_description"))
    if error == "invalid_grant":
        return InvalidGrant(error, description)
    if error == "invalid_client" or status == _UNAUTHORIZED:
        return InvalidClient(error or "invalid_client", description)
    return TokenRequestRefused(error or f"status {status}", description)


class ClientAuthentication(Enum):
    """How a client proves itself (RFC 6749 section 2.3.1)."""

    POST = "client_secret_post"
    BASIC = "client_secret_basic"


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """An authorization server: its endpoints, and where it differs from the RFCs.

    `issuer_aliases` are other names under which it issues (a region's, say); `sends_issuer` says
    that every callback names the issuer (RFC 9207); `revocation_authentication` is set when the
    revocation endpoint takes another client authentication than the client is registered for;
    `may_omit_token_type` accepts answers without it as Bearer; `tracking_header` names the
    header, in lower case, that carries the server's own reference for an exchange;
    `rotates_refresh_tokens` says whether a refresh spends the refresh token (RFC 9700 section
    4.14.2), None where that is not known.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str | None = None
    sends_issuer: bool = False
    issuer_aliases: frozenset[str] = frozenset()
    revocation_authentication: ClientAuthentication | None = None
    may_omit_token_type: bool = False
    tracking_header: str | None = None
    rotates_refresh_tokens: bool | None = None
    refusal: Refusal = standard_refusal


@dataclass(frozen=True, slots=True)
class Client:
    """A confidential client as it is registered."""

    client_id: str
    client_secret: Secret
    redirect_uri: str
    authentication: ClientAuthentication = ClientAuthentication.POST


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
