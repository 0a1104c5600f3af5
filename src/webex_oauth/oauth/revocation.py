"""Revoking a token (RFC 7009)."""

from typing import Literal, TypeAlias

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.endpoint import check_not_refused, client_request
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.secret import Secret

TokenTypeHint: TypeAlias = Literal["access_token", "refresh_token"]
_ACCEPTED = frozenset({200, 204})


def revocation_request(
    server: AuthorizationServer, client: Client, token: Secret, hint: TokenTypeHint
) -> HttpRequest:
    """Build the revocation of *token* (section 2.1).

    Raises ValueError when *server* has no revocation endpoint.
    """
    if server.revocation_endpoint is None:
        raise ValueError("the authorization server has no revocation endpoint")
    fields = {"token": token.reveal(), "token_type_hint": hint}
    authentication = server.revocation_authentication or client.authentication
    return client_request(server.revocation_endpoint, fields, client, authentication)


def read_revocation_response(
    server: AuthorizationServer, response: HttpResponse, requested_at: int
) -> None:
    """Return when the token is no longer good, or never was (section 2.2).

    Raises TokenError when the server refused, RateLimited or ServerFailed when it could not
    answer, InvalidResponse for everything else.
    """
    check_not_refused(server, response, requested_at)
    if response.status not in _ACCEPTED:
        raise InvalidResponse(f"the revocation endpoint answered {response.status}")
