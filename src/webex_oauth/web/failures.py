"""Failures: what a person is told, what the log is told, and those of this application itself."""

import asyncio
import logging
import secrets
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Final

from starlette.types import Scope


class Retry(Enum):
    """Say what the page offers next."""

    SIGN_IN = "a new sign-in that leads where the person was going"
    SAME_PAGE = "the same address again"
    HOME = "the home page"
    OWN_PAGE = "the page of the signed-in person"
    NOTHING = "nothing: repeating would not help"


@dataclass(frozen=True, slots=True)
class Failure:
    """Tell a failure in plain words.

    `name` identifies it in logs and in machine-readable answers.
    """

    name: str
    status: int
    title: str
    what_happened: str
    what_to_do: str
    retry: Retry


class Refused(Exception):
    """The end of a request: `failure` is for its person, `reason` for the log.

    `error` is what caused it, where that was an exception.
    """

    def __init__(self, failure: Failure, reason: str, error: Exception | None = None) -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason
        self.error = error


log = logging.getLogger(__name__)

MAX_EVENTS: Final = 20
"""How many events of one kind are written in one second."""

WINDOW_SECONDS: Final = 1.0
REFERENCE_BYTES: Final = 5


class RefusalLog:
    """Write refusals to the log; use it inside a running event loop."""

    def __init__(self) -> None:
        self._count_by_kind: Counter[str] = Counter()

    def note(
        self,
        kind: str,
        reason: str,
        *,
        peer: str,
        exc_info: BaseException | None = None,
        **facts: object,
    ) -> None:
        """Write that something was refused: what *kind* of refusal, why, and to which address.

        *kind* is one of our own words, never a text of the peer; *facts* are further fields of the
        event.
        """
        if kind not in self._count_by_kind:
            asyncio.get_running_loop().call_later(WINDOW_SECONDS, self._close_window, kind)
        self._count_by_kind[kind] += 1
        if self._count_by_kind[kind] <= MAX_EVENTS:
            log.warning(
                "request refused (%(failure)s): %(reason)s; from %(peer)s",
                {"failure": kind, "reason": reason, "peer": peer, **facts},
                exc_info=exc_info,
            )

    def _close_window(self, kind: str) -> None:
        unwritten = self._count_by_kind.pop(kind) - MAX_EVENTS
        if unwritten > 0:
            log.warning(
                "and %(count)s more requests refused in that second (%(failure)s)",
                {"failure": kind, "count": unwritten},
            )


def reference_id(scope: Scope) -> str:
    """Give the request's reference; it is drawn when something first needs it."""
    if "reference_id" not in scope:
        scope["reference_id"] = secrets.token_hex(REFERENCE_BYTES)
    return str(scope["reference_id"])


def peer_address(scope: Scope) -> str:
    """Return the address that the request came from; behind a proxy it is the proxy's."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


PAGE_NOT_FOUND: Final = Failure(
    "page-not-found",
    404,
    "There is no such page",
    "Nothing lives at this address. It may be misspelled, or the link that led here is old.",
    "Go to the home page and find your way from there.",
    Retry.HOME,
)
METHOD_NOT_ALLOWED: Final = Failure(
    "method-not-allowed",
    405,
    "This page does not work that way",
    "The page exists, but not for the kind of request that was sent.",
    "Go to the home page and use its links and buttons.",
    Retry.HOME,
)
BAD_REQUEST: Final = Failure(
    "bad-request",
    400,
    "The request could not be understood",
    "What your browser sent is broken or contradicts itself.",
    "Go to the home page and try again from there.",
    Retry.HOME,
)
BODY_TOO_LARGE: Final = Failure(
    "body-too-large",
    413,
    "That is too much",
    "The form that was sent is larger than any form of this application.",
    "Go to the home page and try again from there.",
    Retry.HOME,
)
BODY_TOO_SLOW: Final = Failure(
    "body-too-slow",
    408,
    "Your form did not arrive",
    "The connection was too slow or broke off: after some seconds a part of the form was still "
    "missing. Nothing was changed.",
    "Go to the home page and try again from there.",
    Retry.HOME,
)
URL_TOO_LONG: Final = Failure(
    "url-too-long",
    414,
    "The address is too long",
    "The address that was opened is longer than any address of this application.",
    "Go to the home page and try again from there.",
    Retry.HOME,
)
HEADERS_TOO_LARGE: Final = Failure(
    "headers-too-large",
    431,
    "Your browser sent too many cookies",
    "The cookies and headers of the request are larger than this application accepts.",
    "Delete this site's cookies in your browser, then start again from the home page.",
    Retry.HOME,
)
MEDIA_TYPE_UNSUPPORTED: Final = Failure(
    "media-type-unsupported",
    415,
    "This page does not work that way",
    "The page takes an ordinary web form and something else was sent.",
    "Go to the home page and use its buttons.",
    Retry.HOME,
)
FORGERY_SUSPECTED: Final = Failure(
    "forgery-suspected",
    403,
    "We could not tell that it was you",
    "The request did not come from a current page of this application: the page was open too "
    "long, you signed out or in meanwhile, or another site sent the request. Nothing was changed.",
    "Go to the home page and press the button there.",
    Retry.HOME,
)
WRONG_HOST: Final = Failure(
    "wrong-host",
    421,
    "Please use the right address",
    "You opened this application under another name than the one that is registered with Webex.",
    "Go on at the address below. Operator: if it is not the right one, correct WEBEX_REDIRECT_URI "
    "(or the redirect_uri inside AUTH_INIT_URL).",
    Retry.NOTHING,
)
STORE_UNAVAILABLE: Final = Failure(
    "store-unavailable",
    503,
    "We cannot look up your sign-in just now",
    "The place where this application keeps its sign-ins does not answer. You have not been "
    "signed out.",
    "Try again in a moment.",
    Retry.SAME_PAGE,
)
OVERLOADED: Final = Failure(
    "overloaded",
    503,
    "Too many people at once",
    "This application is busy and did not take your request.",
    "Try again in a moment.",
    Retry.SAME_PAGE,
)
UNEXPECTED: Final = Failure(
    "unexpected",
    500,
    "Something went wrong here",
    "This application made a mistake; it is not your fault and not Webex's.",
    "Try again. If it happens again, give the operator the reference below.",
    Retry.HOME,
)
FAILURE_BY_STATUS = {
    failure.status: failure
    for failure in (
        PAGE_NOT_FOUND,
        METHOD_NOT_ALLOWED,
        BODY_TOO_LARGE,
        MEDIA_TYPE_UNSUPPORTED,
    )
}


def status_failure(status: int) -> Failure:
    """Tell why the router or the form reader refused a request."""
    return FAILURE_BY_STATUS.get(status, BAD_REQUEST)
