"""The token endpoint: exchange a code, refresh, read what it issues (RFC 6749 section 5)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.authorization import AuthorizationCode
from webex_oauth.oauth.http import HttpRequest, HttpResponse, read_json_object
from webex_oauth.oauth.server import AuthorizationServer, Client, check_not_refused, client_request
from webex_oauth.secret import Secret

MAX_SCOPES = 500
_OK = 200
_ABSENT = (None, "")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+", re.ASCII)
LONGEST_LIFETIME_SECONDS = 10 * 366 * 24 * 3600
_DECIMAL = re.compile(r"[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenSet:
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
    """Build the exchange of *code* (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
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
    """Build a refresh (RFC 6749 section 6)."""
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
    return client_request(server.token_endpoint, fields, client, client.authentication)


def read_token_response(
    server: AuthorizationServer, response: HttpResponse, requested_at: int
) -> TokenSet:
    """Read the answer to either request; lifetimes count from *requested_at*.

    Raises InvalidGrant, InvalidClient or TokenRequestRefused when the server refused,
    RateLimited or ServerFailed when it could not answer, InvalidResponse for everything else.
    """
    check_not_refused(server, response, requested_at)
    if response.status != _OK:
        raise InvalidResponse(f"the token endpoint answered {response.status}")
    members = read_json_object(response)
    if members.get("error") not in _ABSENT:
        raise server.refusal(response.status, members)
    _check_token_type(server, members)
    return _read_token_set(members, requested_at)


def merge_tokens(old: TokenSet, new: TokenSet) -> TokenSet:
    """Complete *new* with what a refresh may leave out and *old* still knows (RFC 6749 section 6).

    A refresh token that is not repeated stays good, and so do its end and the scopes.
    """
    refresh_token = new.refresh_token or old.refresh_token
    refresh_expires_at = new.refresh_expires_at
    if refresh_expires_at is None and refresh_token == old.refresh_token:
        refresh_expires_at = old.refresh_expires_at
    return TokenSet(
        access_token=new.access_token,
        access_expires_at=new.access_expires_at,
        refresh_token=refresh_token,
        refresh_expires_at=refresh_expires_at,
        scopes=old.scopes if new.scopes is None else new.scopes,
    )


def _check_token_type(server: AuthorizationServer, members: Mapping[str, object]) -> None:
    token_type = members.get("token_type")
    if token_type is None and server.may_omit_token_type:
        return
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise InvalidResponse("the answer's token_type is not Bearer")


def _read_token_set(members: Mapping[str, object], requested_at: int) -> TokenSet:
    access_token = _read_token(members, "access_token")
    if access_token is None:
        raise InvalidResponse("the answer has no access_token")
    return TokenSet(
        access_token=access_token,
        access_expires_at=_read_end(members, "expires_in", requested_at),
        refresh_token=_read_token(members, "refresh_token"),
        refresh_expires_at=_read_end(members, "refresh_token_expires_in", requested_at),
        scopes=_read_scopes(members.get("scope")),
    )


def _read_token(members: Mapping[str, object], name: str) -> Secret | None:
    if members.get(name) in _ABSENT:
        return None
    token = read_token(members[name])
    if token is None:
        raise InvalidResponse(f"the answer's {name} could not be a token")
    return token


def _read_end(members: Mapping[str, object], name: str, requested_at: int) -> int | None:
    lifetime_seconds = read_lifetime(name, members.get(name))
    return None if lifetime_seconds is None else requested_at + lifetime_seconds


def _read_scopes(scope: object) -> frozenset[str] | None:
    """Return the scopes that the answer names; None where it names none in a way that is known.

    A scope decides nothing here that the server does not decide again: one that is no scope
    (RFC 6749 section 3.3) is left out, as is what follows the first MAX_SCOPES, and fails no
    sign-in.
    """
    named = scope.split(" ") if isinstance(scope, str) else scope if isinstance(scope, list) else []
    scopes = (one for one in named[:MAX_SCOPES] if isinstance(one, str) and _SCOPE.fullmatch(one))
    return frozenset(scopes) or None


def read_lifetime(name: str, value: object) -> int | None:
    """Return *value* as positive whole seconds, ten years at most; None if it is absent.

    A number may be written 3600, 3600.0 or "3600". Raises InvalidResponse, which tells the
    member's *name*, for anything else.
    """
    if value is None:
        return None
    seconds = _whole_number(value)
    if seconds is None or seconds <= 0:
        raise InvalidResponse(f"the answer's {name} is not a positive number of seconds")
    return min(seconds, LONGEST_LIFETIME_SECONDS)


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return int(value)
    return None


MAX_TOKEN_CHARACTERS = 16 * 1024
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+", re.ASCII)


def read_token(value: object) -> Secret | None:
    """Return *value* as a token; None if it could not stand in a header.

    A token is visible ASCII, neither empty nor longer than 16 KiB.
    """
    if not isinstance(value, str) or len(value) > MAX_TOKEN_CHARACTERS:
        return None
    return Secret(value) if _VISIBLE_ASCII.fullmatch(value) else None


def authorization_header(access_token: Secret) -> str:
    """Build the value of the `authorization` header (RFC 6750 section 2.1).

    Raises ValueError when the token could change the request.
    """
    if read_token(access_token.reveal()) is None:
        raise ValueError("the access token could not stand in a header")
    return f"Bearer {access_token.reveal()}"


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
