"""Failures: what a person is told, in `failures.toml`, and which failure an error is."""

from collections.abc import Mapping, Sequence
from enum import Enum
from importlib import resources
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from webex_oauth import errors


class Retry(Enum):
    """What the page of a failure offers next."""

    SIGN_IN = "sign-in"
    SAME_PAGE = "same-page"
    HOME = "home"
    OWN_PAGE = "own-page"
    NOTHING = "nothing"


class Help(Enum):
    """Where the page of a failure sends people for help."""

    NONE = "none"
    TELL = "tell"
    TELL_IF_IT_PERSISTS = "tell-if-it-persists"
    WEBEX_STATUS = "webex-status"


class Failure(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A failure in plain words, one section of `failures.toml`; `name` is the section's."""

    name: str = ""
    status: int
    title: str
    what_happened: str
    what_to_do: str = ""
    retry: Retry
    help: Help = Help.NONE
    operator: str = ""


def _read_failures() -> Mapping[str, Failure]:
    text = resources.files(__package__).joinpath("failures.toml").read_bytes()
    sections = msgspec.toml.decode(text, type=dict[str, Failure])
    return {name: replace(section, name=name) for name, section in sections.items()}


FAILURES: Final = _read_failures()
PROBLEM_JSON: Final = "application/problem+json"

Table: TypeAlias = Sequence[tuple[type[errors.WebexOAuthError], str]]
"""The names of failures by type of error; the first type that matches decides."""

EVERYWHERE: Final[Table] = (
    (errors.StoreError, "store-unavailable"),
    (errors.VaultError, "store-unavailable"),
    (errors.WebexOAuthError, "unexpected"),
)
SIGN_IN: Final[Table] = (
    (errors.IncompleteCallback, "callback-incomplete"),
    (errors.MalformedCallback, "callback-malformed"),
    (errors.AttemptUnknown, "attempt-unknown"),
    (errors.AttemptForeign, "attempt-foreign"),
    (errors.AttemptInProgress, "attempt-in-progress"),
    (errors.IssuerMismatch, "issuer-mismatch"),
    (errors.OrganizationRefused, "organization-refused"),
    (errors.InvalidGrant, "code-refused"),
    (errors.InvalidClient, "client-refused"),
    (errors.TokenError, "token-request-refused"),
    (errors.ApiError, "token-request-refused"),
    (errors.RateLimited, "sign-in-rate-limited"),
    (errors.ServerFailed, "sign-in-server-failed"),
    (errors.DeadlineExceeded, "sign-in-timed-out"),
    (errors.InvalidResponse, "sign-in-unreadable"),
    (errors.UpstreamError, "sign-in-unreachable"),
    *EVERYWHERE,
)
API: Final[Table] = (
    (errors.AccessTokenRefused, "reauth-required"),
    (errors.AccessForbidden, "api-forbidden"),
    (errors.ResourceNotFound, "api-not-found"),
    (errors.ApiError, "api-refused"),
    (errors.InvalidClient, "client-refused"),
    (errors.TokenError, "api-refused"),
    (errors.RateLimited, "api-rate-limited"),
    (errors.ServerFailed, "api-server-failed"),
    (errors.RefreshPostponed, "api-renewal-postponed"),
    (errors.DeadlineExceeded, "api-timed-out"),
    (errors.ListTooLong, "list-too-long"),
    (errors.InvalidResponse, "api-unreadable"),
    (errors.UpstreamError, "api-unreachable"),
    *EVERYWHERE,
)
REAUTH_BY_REASON: Final[Mapping[str, str]] = {
    errors.ReauthReason.GRANT_ENDED: "reauth-grant-ended",
    errors.ReauthReason.REFRESH_TOKEN_MISSING: "reauth-not-renewable",
    errors.ReauthReason.REFRESH_TOKEN_EXPIRED: "reauth-unused",
    errors.ReauthReason.REFRESH_TOKEN_REFUSED: "reauth-withdrawn",
    errors.ReauthReason.REFRESH_AMBIGUOUS: "reauth-ambiguous",
    errors.ReauthReason.ACCESS_TOKEN_REFUSED: "reauth-required",
}
REFUSAL_BY_CODE: Final[Mapping[str, str]] = {
    "access_denied": "declined",
    "invalid_scope": "invalid-scope",
    "server_error": "authorization-server-failed",
    "temporarily_unavailable": "authorization-server-failed",
}


def sign_in_failure(error: errors.WebexOAuthError) -> str:
    """Return the failure in which *error* ends a sign-in."""
    cause = error.__cause__
    if isinstance(error, errors.SignInFailed) and isinstance(cause, errors.WebexOAuthError):
        error = cause
    if isinstance(error, errors.AuthorizationRefused):
        return REFUSAL_BY_CODE.get(error.error, "authorization-refused")
    return _first(SIGN_IN, error)


def api_failure(error: errors.WebexOAuthError) -> str:
    """Return the failure in which *error* ends a call of Webex as the person."""
    if isinstance(error, errors.ReauthRequired):
        return REAUTH_BY_REASON.get(error.reason, "reauth-required")
    return _first(API, error)


def _first(table: Table, error: errors.WebexOAuthError) -> str:
    return next(name for kind, name in table if isinstance(error, kind))


def is_used_up(error: errors.WebexOAuthError) -> bool:
    """Return whether the address is of a sign-in that is over, as in a bookmark or the history."""
    if isinstance(error, errors.IncompleteCallback):
        return error.error is None
    return isinstance(error, errors.AttemptForeign | errors.AttemptUnknown)


def prefers_json(accept: str) -> bool:
    """Return whether the client that sends this header is a program."""
    return "json" in accept.lower() and "text/html" not in accept.lower()


def problem(failure: Failure, reference: str, **more: object) -> bytes:
    """Return what a program is told (RFC 9457), with the members *more*.

    Without a *reference* the failure is in no log.
    """
    members: dict[str, object] = {
        "type": f"urn:webex-oauth:{failure.name}",
        "title": failure.title,
        "status": failure.status,
        "detail": " ".join(filter(None, (failure.what_happened, failure.what_to_do))),
    }
    if reference:
        members["instance"] = f"urn:webex-oauth:reference:{reference}"
    return msgspec.json.encode(members | more)
