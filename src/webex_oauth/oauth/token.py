"""Tokens: exchange a code, refresh, revoke, present (RFC 6749 section 5, RFC 7009, RFC 6750)."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.authorization import AuthorizationCode
from webex_oauth.oauth.http import HttpRequest, HttpResponse, read_json_object
from webex_oauth.oauth.server import AuthorizationServer, Client, check_not_refused, client_request
from webex_oauth.secret import Secret

MAX_SCOPES = 500
MAX_TOKEN_CHARACTERS = 16 * 1024
LONGEST_LIFETIME_SECONDS = 10 * 366 * 24 * 3600
_ABSENT = (None, "")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,20}", re.ASCII)
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+", re.ASCII)
TokenTypeHint: TypeAlias = Literal["access_token", "refresh_token"]


class TokenSet(Struct, frozen=True):
    """What an authorization server issued; None where it did not say.

    Instants are seconds since 1970, counted from when the request was made.
    """

    access_token: Secret
    access_expires_at: int | None
    refresh_token: Secret | None
    refresh_expires_at: int | None
    scopes: frozenset[str] | None


def code_request(
    server: AuthorizationServer, client: Client, code: AuthorizationCode, verifier: Secret
) -> HttpRequest:
    """Return the exchange of *code* (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
    fields = {
        "grant_type": "authorization_code",
        "code": code.code.reveal(),
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier.reveal(),
    }
    return client_request(server.token_endpoint, fields, client, client.authentication)


def refresh_request(
    server: AuthorizationServer, client: Client, refresh_token: Secret
) -> HttpRequest:
    """Return a refresh (RFC 6749 section 6)."""
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
    return client_request(server.token_endpoint, fields, client, client.authentication)


def revocation_request(
    server: AuthorizationServer, client: Client, token: Secret, hint: TokenTypeHint
) -> HttpRequest:
    """Return the revocation of *token* (RFC 7009 section 2.1).

    Raises ValueError if *server* has no revocation endpoint.
    """
    if server.revocation_endpoint is None:
        raise ValueError("the authorization server has no revocation endpoint")
    fields = {"token": token.reveal(), "token_type_hint": hint}
    authentication = server.revocation_authentication or client.authentication
    return client_request(server.revocation_endpoint, fields, client, authentication)


def authorization_header(access_token: Secret) -> str:
    """Return the value of the `authorization` header (RFC 6750 section 2.1).

    Raises ValueError if the token could change the request.
    """
    if read_token(access_token.reveal()) is None:
        raise ValueError("the access token could not stand in a header")
    return f"Bearer {access_token.reveal()}"


def read_token_response(
    server: AuthorizationServer, response: HttpResponse, requested_at: int
) -> TokenSet:
    """Return what a code or a refresh token was exchanged for; lifetimes count from *requested_at*.

    Raises InvalidGrant, InvalidClient or TokenRequestRefused if the server refused, RateLimited or
    ServerFailed if it could not answer, InvalidResponse for everything else.
    """
    check_not_refused(server, response, requested_at)
    if response.status != HTTPStatus.OK:
        raise InvalidResponse(f"the token endpoint answered {response.status}")
    members = read_json_object(response)
    if members.get("error") not in _ABSENT:
        raise server.refusal(response.status, members)
    _check_token_type(server, members)
    access_token = _token_member(members, "access_token")
    if access_token is None:
        raise InvalidResponse("the answer has no access_token")
    return TokenSet(
        access_token=access_token,
        access_expires_at=_read_end(members, "expires_in", requested_at),
        refresh_token=_token_member(members, "refresh_token"),
        refresh_expires_at=_read_end(members, "refresh_token_expires_in", requested_at),
        scopes=_read_scopes(members.get("scope")),
    )


def read_revocation_response(
    server: AuthorizationServer, response: HttpResponse, requested_at: int
) -> None:
    """Return if the token is no longer good, or never was (RFC 7009 section 2.2).

    Raises TokenError if the server refused, RateLimited or ServerFailed if it could not answer,
    InvalidResponse for everything else.
    """
    check_not_refused(server, response, requested_at)
    if response.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        raise InvalidResponse(f"the revocation endpoint answered {response.status}")


def merge_tokens(old: TokenSet, new: TokenSet) -> TokenSet:
    """Return *new* with what a refresh may leave out and *old* knows (RFC 6749 section 6).

    A refresh token that is not repeated stays good, and so do its expiry and the scopes.
    """
    refresh_token = new.refresh_token or old.refresh_token
    refresh_expires_at = new.refresh_expires_at
    if refresh_expires_at is None and refresh_token == old.refresh_token:
        refresh_expires_at = old.refresh_expires_at
    return replace(
        new,
        refresh_token=refresh_token,
        refresh_expires_at=refresh_expires_at,
        scopes=old.scopes if new.scopes is None else new.scopes,
    )


def read_token(value: object) -> Secret | None:
    """Return *value* as a token: visible ASCII, at most 16 KiB; None if it could not be one."""
    if not isinstance(value, str) or len(value) > MAX_TOKEN_CHARACTERS:
        return None
    return Secret(value) if _VISIBLE_ASCII.fullmatch(value) else None


def _check_token_type(server: AuthorizationServer, members: Mapping[str, object]) -> None:
    token_type = members.get("token_type")
    if token_type is None and server.may_omit_token_type:
        return
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise InvalidResponse("the answer's token_type is not Bearer")


def _token_member(members: Mapping[str, object], name: str) -> Secret | None:
    if members.get(name) in _ABSENT:
        return None
    token = read_token(members[name])
    if token is None:
        raise InvalidResponse(f"the answer's {name} could not be a token")
    return token


def read_seconds(members: Mapping[str, object], name: str) -> int | None:
    """Return a positive number of seconds, at most ten years; None if it is not stated."""
    if members.get(name) is None:
        return None
    seconds = _whole_number(members[name])
    if seconds is None or seconds <= 0:
        raise InvalidResponse(f"the answer's {name} is not a positive number of seconds")
    return min(seconds, LONGEST_LIFETIME_SECONDS)


def _read_end(members: Mapping[str, object], name: str, requested_at: int) -> int | None:
    seconds = read_seconds(members, name)
    return None if seconds is None else requested_at + seconds


def _whole_number(value: object) -> int | None:
    """Return the number that is written 3600, 3600.0 or "3600"."""
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case str() if _DECIMAL.fullmatch(value):
            return int(value)
    return None


def _read_scopes(scope: object) -> frozenset[str] | None:
    """Return the scopes that the answer names; None if it names none in a form that is known.

    The server checks scopes again at every call, so that none may fail a sign-in: what is not a
    scope (RFC 6749 section 3.3) is left out, as is what follows the first MAX_SCOPES.
    """
    named = scope.split(" ") if isinstance(scope, str) else scope if isinstance(scope, list) else []
    scopes = (one for one in named[:MAX_SCOPES] if isinstance(one, str) and _SCOPE.fullmatch(one))
    return frozenset(scopes) or None
