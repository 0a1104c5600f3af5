"""Every error of webex-oauth; the type says what to do.

WebexOAuthError
├── ConfigurationError             the operator changes a setting
├── SignInError                    the person starts again
│   ├── MalformedCallback          the callback is not one an authorization server sends
│   │   └── IncompleteCallback     it lacks its state, or both code and error
│   ├── AttemptUnknown             no such attempt: expired, finished or invented
│   ├── AttemptForeign             the attempt belongs to another browser
│   ├── AttemptInProgress          another request is completing the same attempt
│   ├── IssuerMismatch             the callback comes from another authorization server
│   └── AuthorizationRefused       the authorization server answered with an error
├── TokenError                     the token endpoint refused
│   ├── InvalidGrant               the code or refresh token is spent: authorize again
│   ├── InvalidClient              client id or secret are wrong: the operator's task
│   └── TokenRequestRefused        any other refusal
├── UpstreamError                  Webex could not be used just now: try later, lose nothing
│   ├── RequestNotSent             it never left: repeating is free
│   ├── AnswerLost                 it may have been processed: ambiguous
│   │   └── DeadlineExceeded       no whole answer within the deadline
│   ├── RateLimited                too many requests; says when to come back
│   ├── ServerFailed               a 5xx or 408 answer
│   ├── RefreshPostponed           no refresh just now; says when to come back
│   └── InvalidResponse            an answer that breaks the protocol
│       └── ResponseTooLarge       an answer beyond the size that was allowed
├── ApiError                       Webex's API refused the call
│   ├── AccessTokenRefused         401: refresh, then sign in again
│   ├── AccessForbidden            403: a scope, role or licence is missing
│   └── ResourceNotFound           404
├── ReauthRequired                 the grant is over: the person signs in again
├── StoreError                     the store failed
│   ├── StoreUnavailable           it cannot answer just now: 503, never "anonymous"
│   └── StoreConflict              the record moved on under the writer
└── VaultError                     something sealed cannot be opened
    ├── KeyUnavailable             the key is missing, malformed or too widely readable
    └── SealBroken                 the seal does not fit its place: tampering or a wrong key
"""

from collections.abc import Sequence
from enum import StrEnum


class WebexOAuthError(Exception):
    """Be the root of the tree."""


class ConfigurationError(WebexOAuthError):
    """Report every mistake of a configuration at once, each with its remedy.

    `warnings` are what the operator should know besides.
    """

    def __init__(self, mistakes: Sequence[str], warnings: Sequence[str] = ()) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = tuple(mistakes)
        self.warnings = tuple(warnings)


class SignInError(WebexOAuthError):
    """Say that a sign-in did not complete."""


class MalformedCallback(SignInError):
    """Refuse a callback that no authorization server would send."""


class IncompleteCallback(MalformedCallback):
    """Say which `parameter` the callback lacks.

    `error` is the authorization server's code where it sent one: a page may show it, but without
    a state nothing may follow from it.
    """

    def __init__(self, parameter: str, *, error: str | None = None) -> None:
        super().__init__(f"the callback has no {parameter}")
        self.parameter = parameter
        self.error = error


class AttemptUnknown(SignInError):
    """Say that no open attempt has this state."""


class AttemptForeign(SignInError):
    """Refuse an attempt that was started in another browser."""


class AttemptInProgress(SignInError):
    """Say that another request is completing this attempt."""


class IssuerMismatch(SignInError):
    """Refuse a callback from an authorization server that was not asked."""


class AuthorizationRefused(SignInError):
    """Carry the error that the authorization server put into the callback.

    `error` is the code (RFC 6749 section 4.1.2.1), `description` its text for developers.
    """

    def __init__(self, error: str, description: str | None = None) -> None:
        super().__init__(f"the authorization server answered {error!r}")
        self.error = error
        self.description = description


class TokenError(WebexOAuthError):
    """Carry a refusal of the token endpoint.

    `error` is the code (RFC 6749 section 5.2), `description` its text, `tracking_id` the
    server's own reference where it gave one.
    """

    def __init__(
        self, error: str, description: str | None = None, *, tracking_id: str | None = None
    ) -> None:
        super().__init__(f"the token endpoint answered {error!r}")
        self.error = error
        self.description = description
        self.tracking_id = tracking_id


class InvalidGrant(TokenError):
    """Say that the code or the refresh token is no longer good."""


class InvalidClient(TokenError):
    """Say that the client id or the client secret is wrong."""


class TokenRequestRefused(TokenError):
    """Carry any other refusal."""


class UpstreamError(WebexOAuthError):
    """Say that Webex could not be used just now."""


class RequestNotSent(UpstreamError):
    """Say that the request never left; repeating it is free."""


class AnswerLost(UpstreamError):
    """Say that the request may have been processed but no answer came."""


class DeadlineExceeded(AnswerLost):
    """Say that no whole answer came within the deadline."""


class RateLimited(UpstreamError):
    """Say that Webex asks to come back after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"too many requests, come back in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class ServerFailed(UpstreamError):
    """Carry a 5xx or 408 answer; `retry_after_seconds` where it said when to come back."""

    def __init__(
        self,
        status: int,
        *,
        tracking_id: str | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(f"the server answered {status}")
        self.status = status
        self.tracking_id = tracking_id
        self.retry_after_seconds = retry_after_seconds


class RefreshPostponed(UpstreamError):
    """Say that no refresh is tried before `retry_after_seconds` have passed."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(f"{message}, come back in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class InvalidResponse(UpstreamError):
    """Say that an answer broke the protocol."""


class ResponseTooLarge(InvalidResponse):
    """Say that an answer was larger than allowed."""


class ApiError(WebexOAuthError):
    """Carry an error answer of Webex's API: status, message, tracking id."""

    def __init__(self, status: int, message: str, *, tracking_id: str | None = None) -> None:
        super().__init__(f"the API answered {status}")
        self.status = status
        self.message = message
        self.tracking_id = tracking_id


class AccessTokenRefused(ApiError):
    """Say that the access token is not accepted (401)."""


class AccessForbidden(ApiError):
    """Say that a scope, a role or a licence is missing (403)."""


class ResourceNotFound(ApiError):
    """Say that the resource is not there or not this person's to see (404)."""


class ReauthReason(StrEnum):
    """Say why a person must sign in again.

    GRANT_ENDED: it was ended here. REFRESH_TOKEN_MISSING: the server never gave one.
    REFRESH_TOKEN_EXPIRED: its time is over, and the server refused it. REFRESH_TOKEN_REFUSED: the
    server no longer accepts it. REFRESH_AMBIGUOUS: answers to it were lost, and presenting it once
    more could end more than it brings. ACCESS_TOKEN_REFUSED: the API does not accept even a fresh
    access token.
    """

    GRANT_ENDED = "grant_ended"
    REFRESH_TOKEN_MISSING = "refresh_token_missing"  # noqa: S105 - the name of a reason
    REFRESH_TOKEN_EXPIRED = "refresh_token_expired"  # noqa: S105 - the name of a reason
    REFRESH_TOKEN_REFUSED = "refresh_token_refused"  # noqa: S105 - the name of a reason
    REFRESH_AMBIGUOUS = "refresh_ambiguous"
    ACCESS_TOKEN_REFUSED = "access_token_refused"  # noqa: S105 - the name of a reason


class ReauthRequired(WebexOAuthError):
    """Say that the person must sign in again: why (a ReauthReason), and where."""

    def __init__(self, reason: str, sign_in_url: str | None = None) -> None:
        super().__init__(f"the person must sign in again: {reason}")
        self.reason = reason
        self.sign_in_url = sign_in_url


class StoreError(WebexOAuthError):
    """Say that the store failed."""


class StoreUnavailable(StoreError):
    """Say that the store cannot answer just now."""


class StoreConflict(StoreError):
    """Say that a record moved on under its writer."""


class VaultError(WebexOAuthError):
    """Say that something sealed cannot be opened."""


class KeyUnavailable(VaultError):
    """Say that the sealing key is missing, malformed or too widely readable."""


class SealBroken(VaultError):
    """Refuse sealed bytes that do not fit their place."""
