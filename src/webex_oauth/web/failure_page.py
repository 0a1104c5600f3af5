"""The page of a failure, for people and for programs (RFC 9457)."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec
from starlette.responses import Response

from webex_oauth import errors
from webex_oauth.errors import StoreError, VaultError
from webex_oauth.flows.return_to import ReturnTo
from webex_oauth.web import failures, webex_failures
from webex_oauth.web.failures import (
    BODY_TOO_SLOW,
    OVERLOADED,
    STORE_UNAVAILABLE,
    UNEXPECTED,
    WRONG_HOST,
    Failure,
    Refused,
    Retry,
)
from webex_oauth.web.views import Detail, FailurePage, Link, ScopeInWords, SignInAgain, WayOn
from webex_oauth.web.visit import Visit
from webex_oauth.web.webex_failures import SIGNED_OUT

Table: TypeAlias = Sequence[tuple[type[errors.WebexOAuthError], Failure]]

EVERYWHERE: Table = (
    (errors.StoreError, failures.STORE_UNAVAILABLE),
    (errors.VaultError, failures.STORE_UNAVAILABLE),
)
SIGN_IN: Table = (
    (errors.IncompleteCallback, webex_failures.CALLBACK_INCOMPLETE),
    (errors.MalformedCallback, webex_failures.CALLBACK_MALFORMED),
    (errors.AttemptUnknown, webex_failures.ATTEMPT_UNKNOWN),
    (errors.AttemptForeign, webex_failures.ATTEMPT_FOREIGN),
    (errors.AttemptInProgress, webex_failures.ATTEMPT_IN_PROGRESS),
    (errors.IssuerMismatch, webex_failures.ISSUER_MISMATCH),
    (errors.InvalidGrant, webex_failures.CODE_REFUSED),
    (errors.InvalidClient, webex_failures.CLIENT_REFUSED),
    (errors.TokenError, webex_failures.TOKEN_REQUEST_REFUSED),
    (errors.ApiError, webex_failures.TOKEN_REQUEST_REFUSED),
    (errors.RateLimited, webex_failures.SIGN_IN_RATE_LIMITED),
    (errors.ServerFailed, webex_failures.SIGN_IN_SERVER_FAILED),
    (errors.DeadlineExceeded, webex_failures.SIGN_IN_TIMED_OUT),
    (errors.InvalidResponse, webex_failures.SIGN_IN_UNREADABLE),
    (errors.UpstreamError, webex_failures.SIGN_IN_UNREACHABLE),
    *EVERYWHERE,
)
API: Table = (
    (errors.AccessTokenRefused, webex_failures.REAUTH_REQUIRED),
    (errors.AccessForbidden, webex_failures.API_FORBIDDEN),
    (errors.ResourceNotFound, webex_failures.API_NOT_FOUND),
    (errors.ApiError, webex_failures.API_REFUSED),
    (errors.InvalidClient, webex_failures.CLIENT_REFUSED),
    (errors.TokenError, webex_failures.API_REFUSED),
    (errors.RateLimited, webex_failures.API_RATE_LIMITED),
    (errors.ServerFailed, webex_failures.API_SERVER_FAILED),
    (errors.RefreshPostponed, webex_failures.API_RENEWAL_POSTPONED),
    (errors.DeadlineExceeded, webex_failures.API_TIMED_OUT),
    (errors.ListTooLong, webex_failures.LIST_TOO_LONG),
    (errors.InvalidResponse, webex_failures.API_UNREADABLE),
    (errors.UpstreamError, webex_failures.API_UNREACHABLE),
    *EVERYWHERE,
)
REAUTH_BY_REASON: Mapping[str, Failure] = {
    errors.ReauthReason.GRANT_ENDED: webex_failures.REAUTH_GRANT_ENDED,
    errors.ReauthReason.REFRESH_TOKEN_MISSING: webex_failures.REAUTH_NOT_RENEWABLE,
    errors.ReauthReason.REFRESH_TOKEN_EXPIRED: webex_failures.REAUTH_UNUSED,
    errors.ReauthReason.REFRESH_TOKEN_REFUSED: webex_failures.REAUTH_WITHDRAWN,
    errors.ReauthReason.REFRESH_AMBIGUOUS: webex_failures.REAUTH_AMBIGUOUS,
    errors.ReauthReason.ACCESS_TOKEN_REFUSED: webex_failures.REAUTH_REQUIRED,
}
REFUSAL_BY_CODE = {
    "access_denied": webex_failures.DECLINED,
    "invalid_scope": webex_failures.INVALID_SCOPE,
    "server_error": webex_failures.AUTHORIZATION_SERVER_FAILED,
    "temporarily_unavailable": webex_failures.AUTHORIZATION_SERVER_FAILED,
}


def sign_in_failure(error: errors.WebexOAuthError) -> Failure:
    """Tell why a sign-in did not complete."""
    if isinstance(error, errors.AuthorizationRefused):
        return REFUSAL_BY_CODE.get(error.error, webex_failures.AUTHORIZATION_REFUSED)
    return _first(SIGN_IN, error)


def api_failure(error: errors.WebexOAuthError) -> Failure:
    """Tell why Webex could not be called as the person."""
    if isinstance(error, errors.ReauthRequired):
        return REAUTH_BY_REASON.get(error.reason, webex_failures.REAUTH_REQUIRED)
    return _first(API, error)


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
    return failures.UNEXPECTED


PROBLEM_JSON = "application/problem+json"
FAILURES_WITHOUT_SESSION = (WRONG_HOST, UNEXPECTED, OVERLOADED, BODY_TOO_SLOW, STORE_UNAVAILABLE)
"""Shown without looking for a session: the request may not be for this host, the store may be what
failed, and peers that cost nothing are not to cause work."""


async def show_failure(
    visit: Visit,
    refused: Refused,
    *,
    return_to: ReturnTo | None = None,
    retry_after: int | None = None,
    details: tuple[Detail, ...] = (),
    missing_scope: ScopeInWords | None = None,
) -> Response:
    """Answer a request that was refused, and log it: every failure leaves by this door.

    The answer is HTML, or problem+json for a client that prefers JSON. *return_to* is where a new
    sign-in leads, by default here.
    """
    failure = refused.failure
    visit.note_refusal(failure.name, refused.reason, refused.error)
    if _prefers_json(visit.headers.get("accept", "")):
        response = _problem(visit, failure)
    else:
        if failure not in FAILURES_WITHOUT_SESSION:
            await is_signed_in(visit)
        page = FailurePage(
            frame=visit.frame(),
            failure=failure,
            way_on=_way_on(visit, failure, return_to or visit.here()),
            retry_after_seconds=retry_after,
            details=details,
            missing_scope=missing_scope,
            reference_id=visit.reference_id,
        )
        response = visit.show(page, failure.status)
    if retry_after is not None:
        response.headers["retry-after"] = str(retry_after)
    if failure is SIGNED_OUT:
        await visit.drop_stale_session(response)
    return response


async def is_signed_in(visit: Visit) -> bool:
    """Return whether somebody is signed in, as far as the store can tell.

    The frame of the page then shows who it is.
    """
    try:
        return await visit.find_session() is not None
    except (StoreError, VaultError):
        return False


def _way_on(visit: Visit, failure: Failure, return_to: ReturnTo) -> WayOn | None:
    if failure is WRONG_HOST:
        origin = visit.site.public_origin
        return Link(f"{origin}/", f"{origin}/")
    match failure.retry:
        case Retry.SIGN_IN:
            return SignInAgain(return_to.path)
        case Retry.SAME_PAGE if visit.request.method in {"GET", "HEAD"}:
            # An empty reference is this very address; a callback's query has no place in a page.
            return Link("", "Try again")
        case Retry.SAME_PAGE | Retry.HOME:
            return Link("/", "Home page")
        case Retry.OWN_PAGE:
            return Link("/", "Go to your page")
        case Retry.NOTHING:
            return None


def _problem(visit: Visit, failure: Failure) -> Response:
    problem = {
        "type": f"urn:webex-oauth:{failure.name}",
        "title": failure.title,
        "status": failure.status,
        "detail": f"{failure.what_happened} {failure.what_to_do}",
        "instance": f"urn:webex-oauth:reference:{visit.reference_id}",
    }
    return Response(msgspec.json.encode(problem), failure.status, media_type=PROBLEM_JSON)


def _prefers_json(accept: str) -> bool:
    """Tell whether a client names JSON and does not name HTML."""
    return "json" in accept.lower() and "text/html" not in accept.lower()
