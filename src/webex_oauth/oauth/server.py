"""Who takes part: an authorization server, how it refuses, and its client (RFC 6749 section 1)."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from enum import Enum
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import quote_plus

from msgspec import Struct

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
    check_available,
    post_form,
    read_json_object,
    read_text,
)
from webex_oauth.secret import Secret

RefusalReader: TypeAlias = Callable[[int, Mapping[str, object]], TokenError]
"""Reads the status and the members of a refusal as the error that says what to do."""


def standard_refusal(status: int, members: Mapping[str, object]) -> TokenError:
    """Return the error for a refusal that keeps to RFC 6749 section 5.2."""
    error = read_text(members.get("error"))
    description = read_text(members.get("error_description"))
    if error == "invalid_grant":
        return InvalidGrant(error, description)
    if error == "invalid_client" or status == HTTPStatus.UNAUTHORIZED:
        return InvalidClient(error or "invalid_client", description)
    return TokenRequestRefused(error or f"status {status}", description)


class ClientAuthentication(Enum):
    """How a client proves itself (RFC 6749 section 2.3.1)."""

    POST = "client_secret_post"
    BASIC = "client_secret_basic"


class AuthorizationServer(Struct, frozen=True):
    """An authorization server: its endpoints, and where it differs from the RFCs.

    `issuer_aliases` are other names under which it issues (a region's, say); `sends_issuer` means
    that every callback names the issuer (RFC 9207); `revocation_authentication` is set if the
    revocation endpoint takes another client authentication than the client is registered for;
    `may_omit_token_type` accepts answers without it as Bearer; `tracking_header` names the
    header, in lower case, that carries the server's own reference for an exchange;
    `rotates_refresh_tokens` says whether a refresh spends the refresh token (RFC 9700 section
    4.14.2), None if that is not known. The device grant (RFC 8628) is offered at
    `device_authorization_endpoint`; `device_token_endpoint` and `device_authentication` are set if
    it differs there from the token endpoint and the client's registration.
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
    refusal: RefusalReader = standard_refusal
    device_authorization_endpoint: str | None = None
    device_token_endpoint: str | None = None
    device_authentication: ClientAuthentication | None = None


class Client(Struct, frozen=True):
    """A confidential client as it is registered."""

    client_id: str
    client_secret: Secret
    redirect_uri: str
    authentication: ClientAuthentication = ClientAuthentication.POST


def client_request(
    url: str, fields: Mapping[str, str], client: Client, authentication: ClientAuthentication
) -> HttpRequest:
    """Return the POST of *fields*, with the client's credentials where *authentication* says."""
    client_id, client_secret = client.client_id, client.client_secret.reveal()
    if authentication is ClientAuthentication.BASIC:
        # Each half is form-encoded first, so that a colon in the id cannot move the border.
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode("ascii")
        return post_form(url, fields, {"authorization": f"Basic {b64encode(pair).decode('ascii')}"})
    return post_form(url, {**fields, "client_id": client_id, "client_secret": client_secret}, {})


def check_not_refused(
    server: AuthorizationServer, response: HttpResponse, requested_at: int
) -> None:
    """Raise the error that a 4xx or 5xx answer stands for.

    RateLimited or ServerFailed if the server cannot answer now, else what *server* reads from the
    refusal. Raises InvalidResponse if nothing can be read from it.
    """
    tracking_id = response.headers.get(server.tracking_header) if server.tracking_header else None
    check_available(response, requested_at, read_text(tracking_id))
    if response.status >= HTTPStatus.BAD_REQUEST:
        raise server.refusal(response.status, _members(response))


def _members(response: HttpResponse) -> Mapping[str, object]:
    try:
        return read_json_object(response)
    except InvalidResponse:
        # The status alone says that the client is not accepted (RFC 6749 section 5.2).
        if response.status == HTTPStatus.UNAUTHORIZED:
            return NO_MEMBERS
        raise
