"""From an error to what the person is told: tables in which the first matching type wins."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from webex_oauth import errors
from webex_oauth.web import api_failures, request_failures, sign_in_failures
from webex_oauth.web.failures import Failure

Table: TypeAlias = Sequence[tuple[type[errors.WebexOAuthError], Failure]]

EVERYWHERE: Table = (
    (errors.StoreError, request_failures.STORE_UNAVAILABLE),
    (errors.VaultError, request_failures.STORE_UNAVAILABLE),
)
SIGN_IN: Table = (
    (errors.IncompleteCallback, sign_in_failures.CALLBACK_INCOMPLETE),
    (errors.MalformedCallback, sign_in_failures.CALLBACK_MALFORMED),
    (errors.AttemptUnknown, sign_in_failures.ATTEMPT_UNKNOWN),
    (errors.AttemptForeign, sign_in_failures.ATTEMPT_FOREIGN),
    (errors.AttemptInProgress, sign_in_failures.ATTEMPT_IN_PROGRESS),
    (errors.IssuerMismatch, sign_in_failures.ISSUER_MISMATCH),
    (errors.InvalidGrant, sign_in_failures.CODE_REFUSED),
    (errors.InvalidClient, sign_in_failures.CLIENT_REFUSED),
    (errors.TokenError, sign_in_failures.TOKEN_REQUEST_REFUSED),
    (errors.ApiError, sign_in_failures.TOKEN_REQUEST_REFUSED),
    (errors.RateLimited, sign_in_failures.SIGN_IN_RATE_LIMITED),
    (errors.ServerFailed, sign_in_failures.SIGN_IN_SERVER_FAILED),
    (errors.DeadlineExceeded, sign_in_failures.SIGN_IN_TIMED_OUT),
    (errors.InvalidResponse, sign_in_failures.SIGN_IN_UNREADABLE),
    (errors.UpstreamError, sign_in_failures.SIGN_IN_UNREACHABLE),
    *EVERYWHERE,
)
API: Table = (
    (errors.AccessTokenRefused, api_failures.REAUTH_REQUIRED),
    (errors.AccessForbidden, api_failures.API_FORBIDDEN),
    (errors.ResourceNotFound, api_failures.API_NOT_FOUND),
    (errors.ApiError, api_failures.API_REFUSED),
    (errors.InvalidClient, sign_in_failures.CLIENT_REFUSED),
    (errors.TokenError, api_failures.API_REFUSED),
    (errors.RateLimited, api_failures.API_RATE_LIMITED),
    (errors.ServerFailed, api_failures.API_SERVER_FAILED),
    (errors.RefreshPostponed, api_failures.API_RENEWAL_POSTPONED),
    (errors.DeadlineExceeded, api_failures.API_TIMED_OUT),
    (errors.ListTooLong, api_failures.LIST_TOO_LONG),
    (errors.InvalidResponse, api_failures.API_UNREADABLE),
    (errors.UpstreamError, api_failures.API_UNREACHABLE),
    *EVERYWHERE,
)
REAUTH_BY_REASON: Mapping[str, Failure] = {
    errors.ReauthReason.GRANT_ENDED: api_failures.REAUTH_GRANT_ENDED,
    errors.ReauthReason.REFRESH_TOKEN_MISSING: api_failures.REAUTH_NOT_RENEWABLE,
    errors.ReauthReason.REFRESH_TOKEN_EXPIRED: api_failures.REAUTH_UNUSED,
    errors.ReauthReason.REFRESH_TOKEN_REFUSED: api_failures.REAUTH_WITHDRAWN,
    errors.ReauthReason.REFRESH_AMBIGUOUS: api_failures.REAUTH_AMBIGUOUS,
    errors.ReauthReason.ACCESS_TOKEN_REFUSED: api_failures.REAUTH_REQUIRED,
}
REFUSAL_BY_CODE = {
    "access_denied": sign_in_failures.DECLINED,
    "invalid_scope": sign_in_failures.INVALID_SCOPE,
    "server_error": sign_in_failures.AUTHORIZATION_SERVER_FAILED,
    "temporarily_unavailable": sign_in_failures.AUTHORIZATION_SERVER_FAILED,
}
FAILURE_BY_STATUS = {
    failure.status: failure
    for failure in (
        request_failures.PAGE_NOT_FOUND,
        request_failures.METHOD_NOT_ALLOWED,
        request_failures.BODY_TOO_LARGE,
        request_failures.MEDIA_TYPE_UNSUPPORTED,
    )
}


def sign_in_failure(error: errors.WebexOAuthError) -> Failure:
    """Tell why a sign-in did not complete."""
    if isinstance(error, errors.AuthorizationRefused):
        return REFUSAL_BY_CODE.get(error.error, sign_in_failures.AUTHORIZATION_REFUSED)
    return _first(SIGN_IN, error)


def api_failure(error: errors.WebexOAuthError) -> Failure:
    """Tell why Webex could not be called as the person."""
    if isinstance(error, errors.ReauthRequired):
        return REAUTH_BY_REASON.get(error.reason, api_failures.REAUTH_REQUIRED)
    return _first(API, error)


def status_failure(status: int) -> Failure:
    """Tell why the router or the form reader refused a request."""
    return FAILURE_BY_STATUS.get(status, request_failures.BAD_REQUEST)


def retry_after_seconds(error: errors.WebexOAuthError) -> int | None:
    """Tell when to come back, if Webex said."""
    match error:
        case errors.RateLimited() | errors.ServerFailed() | errors.RefreshPostponed():
            return error.retry_after_seconds
    return None


def _first(table: Table, error: errors.WebexOAuthError) -> Failure:
    for kind, failure in table:
        if isinstance(error, kind):
            return failure
    return request_failures.UNEXPECTED
