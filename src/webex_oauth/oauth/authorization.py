"""The authorization request and the callback that answers it (RFC 6749 section 4.1, RFC 7636)."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache, partial
from hashlib import sha256
from typing import TypeAlias, final
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from msgspec import Struct

from webex_oauth.errors import (
    AuthorizationRefused,
    IncompleteCallback,
    IssuerMismatch,
    MalformedCallback,
)
from webex_oauth.oauth.http import read_text
from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.secret import Secret

MAX_MORE_SCOPES_CHARACTERS = 500
MAX_QUERY_BYTES = 8 * 1024
MAX_QUERY_FIELDS = 32
FEWEST_RANDOM_BYTES = 32
MOST_RANDOM_BYTES = 96
REGISTERED_ERRORS = frozenset(
    {
        "access_denied",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    }
)
"""The codes of RFC 6749 section 4.1.2.1."""

_KNOWN_PARAMETERS = frozenset({"code", "state", "error", "error_description", "error_uri", "iss"})
_VISIBLE = re.compile(r"[\x20-\x7e]+", re.ASCII)
_ERROR_CODE = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,128}", re.ASCII)
_PERCENT_ENCODED = re.compile(rb"(?:[\x21-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})*")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_quote = partial(quote, safe="")
_cached_quote = lru_cache(maxsize=64)(_quote)
"""For values that are not secret and the same at every sign-in."""


class CodeCallback(Struct, frozen=True):
    """A callback that carries a code; nothing about it has been checked against an attempt."""

    state: Secret
    code: Secret
    issuer: str | None


class ErrorCallback(Struct, frozen=True):
    """A callback that carries an error of the authorization server."""

    state: Secret
    error: str
    error_description: str | None
    issuer: str | None


Callback: TypeAlias = CodeCallback | ErrorCallback


@final
class AuthorizationCode(Struct, frozen=True):
    """A code from the right issuer; only `check_callback` makes one."""

    code: Secret


def code_verifier(random_bytes: bytes) -> Secret:
    """Return a verifier of 43 to 128 characters (RFC 7636 section 4.1).

    Raises ValueError for fewer than 32 or more than 96 random bytes.
    """
    if not FEWEST_RANDOM_BYTES <= len(random_bytes) <= MOST_RANDOM_BYTES:
        raise ValueError("a code verifier takes 32 to 96 random bytes")
    return Secret(_base64url(random_bytes))


def code_challenge(verifier: Secret) -> str:
    """Return the S256 challenge of *verifier* (RFC 7636 section 4.2)."""
    return _base64url(sha256(verifier.reveal().encode("ascii")).digest())


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def check_scopes(scopes: Collection[str]) -> None:
    """Raise TypeError or ValueError for what are no scopes."""
    if isinstance(scopes, str):
        raise TypeError("scopes are several words: give a list, such as ['spark:rooms_read']")
    if not all(map(_SCOPE.fullmatch, scopes)):
        raise ValueError("a scope is a word of visible characters, such as spark:rooms_read")


def scopes_to_ask(
    wanted: Collection[str], granted: Collection[str], own: Collection[str]
) -> set[str]:
    """Return what to ask beside an integration's *own* scopes, so that nothing granted is lost.

    A new grant replaces the old one. An attempt may not have room for all of it: then *wanted*.
    """
    scopes = {*wanted, *granted}
    more = " ".join(scopes.difference(own))
    return scopes if len(more) <= MAX_MORE_SCOPES_CHARACTERS else set(wanted)


def authorization_url(
    server: AuthorizationServer,
    client: Client,
    *,
    scopes: Sequence[str],
    state: Secret,
    challenge: str,
    login_hint: str | None = None,
) -> str:
    """Return the URL that asks for a code (RFC 6749 section 4.1.1, RFC 7636 section 4.3).

    A query of the endpoint is kept, but a hint in it gives way to *login_hint*.
    """
    standing = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": " ".join(scopes),
        "code_challenge_method": "S256",
    }
    endpoint, _, query = server.authorization_endpoint.partition("?")
    kept = [field for field in query.split("&") if field]
    fields = [f"{name}={_cached_quote(value)}" for name, value in standing.items()]
    fields += [f"state={_quote(state.reveal())}", f"code_challenge={_quote(challenge)}"]
    if login_hint is not None:
        kept = [field for field in kept if not field.startswith("login_hint=")]
        fields.append(f"login_hint={_quote(login_hint)}")
    return f"{endpoint}?{'&'.join([*kept, *fields])}"


def read_callback(query: bytes) -> Callback:
    """Return what the raw query of a callback says (RFC 6749 sections 4.1.2 and 4.1.2.1).

    Code, state, error and issuer are read strictly; a description may be any text, and parameters
    of other names may be anything. Raises IncompleteCallback without a state or without both code
    and error, and MalformedCallback for what is ambiguous or could not come from an authorization
    server.
    """
    try:
        return _read_callback(query)
    except MalformedCallback as error:
        refusal = error.with_traceback(None)
    # A tool that shows frames with their locals must find neither code nor state in them.
    del query
    raise refusal


def _read_callback(query: bytes) -> Callback:
    parameters = _known_parameters(query)
    error = _optional(parameters, "error", _ERROR_CODE)
    state = _optional(parameters, "state", _VISIBLE)
    code = _optional(parameters, "code", _VISIBLE)
    if code and error:
        raise MalformedCallback("the callback has both a code and an error")
    if not state:
        raise IncompleteCallback("state", error=error)
    issuer = _decoded(parameters["iss"]) if "iss" in parameters else None
    if error:
        description = read_text(_decoded_prose(parameters.get("error_description", b"")))
        return ErrorCallback(Secret(state), error, description, issuer)
    if not code:
        raise IncompleteCallback("code")
    return CodeCallback(Secret(state), Secret(code), issuer)


def _known_parameters(query: bytes) -> dict[str, bytes]:
    """Return the encoded values of the parameters that are read; each may stand there once."""
    if len(query) > MAX_QUERY_BYTES:
        raise MalformedCallback("the query is too long")
    pieces = query.split(b"&")
    if len(pieces) > MAX_QUERY_FIELDS:
        raise MalformedCallback("the query has too many parameters")
    parameters: dict[str, bytes] = {}
    for piece in pieces:
        encoded_name, _, value = piece.partition(b"=")
        name = _octets(encoded_name).decode("latin-1")
        if name in parameters:
            raise MalformedCallback(f"the callback has more than one {name}")
        if name in _KNOWN_PARAMETERS:
            parameters[name] = value
    return parameters


def _optional(parameters: Mapping[str, bytes], name: str, grammar: re.Pattern[str]) -> str | None:
    value = _decoded(parameters.get(name, b""))
    if value and not grammar.fullmatch(value):
        raise MalformedCallback(
            f"the callback's {name} has characters it may not have, or too many"
        )
    return value or None


def _decoded(encoded: bytes) -> str:
    """Return the value of a parameter that decides something."""
    if not _PERCENT_ENCODED.fullmatch(encoded):
        raise MalformedCallback("a parameter is not percent-encoded")
    try:
        text = unquote_plus(encoded.decode("ascii"), errors="strict")
    except UnicodeDecodeError:
        raise MalformedCallback("a parameter is not UTF-8") from None
    if _CONTROL.search(text):
        raise MalformedCallback("a parameter holds control characters")
    return text


def _decoded_prose(encoded: bytes) -> str:
    """Return a value that is text for people, in UTF-8 or else in Latin-1."""
    octets = _octets(encoded)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _octets(encoded: bytes) -> bytes:
    return unquote_to_bytes(encoded.replace(b"+", b" "))


def check_callback(callback: Callback, server: AuthorizationServer) -> AuthorizationCode:
    """Return the code for the token request if the callback comes from *server*.

    Raises IssuerMismatch (RFC 9207 section 2.4), for errors too, and AuthorizationRefused.
    """
    if not _is_issued_by(server, callback.issuer):
        raise IssuerMismatch("the callback comes from another authorization server")
    if isinstance(callback, ErrorCallback):
        raise AuthorizationRefused(callback.error, callback.error_description)
    return AuthorizationCode(callback.code)


def _is_issued_by(server: AuthorizationServer, issuer: str | None) -> bool:
    if issuer is None:
        return not server.sends_issuer
    return issuer == server.issuer or issuer in server.issuer_aliases
