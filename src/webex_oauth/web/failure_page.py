"""The page of a failure, for people and for programs (RFC 9457)."""

from typing import ClassVar, Final

from starlette.responses import Response

from webex_oauth import errors
from webex_oauth.flows.failures import PROBLEM_JSON, Failure, Retry, prefers_json, problem
from webex_oauth.flows.sign_in import ReturnTo
from webex_oauth.settings.pages import PagePath
from webex_oauth.web.refusals import Refused
from webex_oauth.web.rendering import View
from webex_oauth.web.visit import Visit

WITHOUT_SESSION: Final = frozenset(
    {"wrong-host", "unexpected", "overloaded", "body-too-slow", "store-unavailable"}
)
"""Rendered without a session look-up: the request may not be ours, the store may be what failed, or
the peer costs nothing and must not cause work."""


class FailurePage(View, frozen=True):
    """Any failure, with its honest status.

    The way on is a new sign-in that leads to `sign_in_to`, or `link` (its URL and label), or
    neither. `retry_after_seconds` says when to come back, if Webex did; `missing_scope` what was
    not granted, where that is the reason. `details` are labels and values for people who look into
    it. `reference_id` is in the log, beside the time `at`.
    """

    template: ClassVar = "failure.html"

    failure: Failure
    sign_in_to: str | None
    link: tuple[str, str] | None
    retry_after_seconds: int | None
    missing_scope: str | None
    details: tuple[tuple[str, str], ...]
    reference_id: str
    at: int


async def show_failure(
    visit: Visit,
    refused: Refused,
    *,
    return_to: ReturnTo | None = None,
    details: tuple[tuple[str, str], ...] = (),
    missing_scope: str | None = None,
) -> Response:
    """Answer a request that was refused, and log it: every failure leaves by this door.

    The answer is HTML, or problem+json for a client that prefers JSON. *return_to* is where a new
    sign-in leads, by default here.
    """
    failure = refused.failure
    visit.note_refusal(failure.name, refused.reason, refused.error)
    error = refused.error
    retry_after = error.retry_after_seconds if isinstance(error, errors.TemporaryError) else None
    if prefers_json(visit.headers.get("accept", "")):
        body = problem(failure, visit.reference_id)
        response = Response(body, failure.status, media_type=PROBLEM_JSON)
    else:
        if failure.name not in WITHOUT_SESSION:
            await visit.is_signed_in()  # the layout then shows who it is
        page = FailurePage(
            failure=failure,
            sign_in_to=(return_to or visit.here()).path if failure.retry is Retry.SIGN_IN else None,
            link=_link(visit, failure),
            retry_after_seconds=retry_after,
            missing_scope=missing_scope,
            details=details,
            reference_id=visit.reference_id,
            at=visit.now(),
        )
        response = visit.show(page, failure.status)
    if retry_after is not None:
        response.headers["retry-after"] = str(retry_after)
    if failure.name == "signed-out":
        await visit.drop_stale_session(response)
    return response


def _link(visit: Visit, failure: Failure) -> tuple[str, str] | None:
    if failure.name == "wrong-host":
        url = visit.site.settings.url_of(PagePath.HOME)
        return url, url
    match failure.retry:
        case Retry.SAME_PAGE if visit.request.method in {"GET", "HEAD"}:
            # An empty reference is this very address; a callback's query has no place in a page.
            return "", "Try again"
        case Retry.SAME_PAGE | Retry.HOME:
            return visit.site.home.path, "Home page"
        case Retry.OWN_PAGE:
            return visit.site.home.path, "Go to your page"
        case Retry.SIGN_IN | Retry.NOTHING:
            return None
