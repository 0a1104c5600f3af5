"""The page of a failure, for people and for programs (RFC 9457)."""

import msgspec
from starlette.responses import Response

from webex_oauth.errors import StoreError, VaultError
from webex_oauth.flows.return_to import ReturnTo
from webex_oauth.web.api_failures import SIGNED_OUT
from webex_oauth.web.failures import Failure, Refused, Retry
from webex_oauth.web.request_failures import (
    BODY_TOO_SLOW,
    OVERLOADED,
    STORE_UNAVAILABLE,
    UNEXPECTED,
    WRONG_HOST,
)
from webex_oauth.web.views import Detail, FailurePage, Link, ScopeInWords, SignInAgain, WayOn
from webex_oauth.web.visit import Visit

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
