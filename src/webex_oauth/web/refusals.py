"""Refusals: requests that end in a failure, and what the log is told."""

import asyncio
import logging
import secrets
from collections import Counter
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import Scope

from webex_oauth.flows.failures import FAILURES

log = logging.getLogger(__name__)

MAX_EVENTS: Final = 20
"""How many events of one kind are written in one second."""

WINDOW_SECONDS: Final = 1.0
REFERENCE_BYTES: Final = 5
_NAME_BY_STATUS: Final = {
    404: "page-not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "media-type-unsupported",
}


class Refused(Exception):
    """The end of a request in the failure *name*; `reason` is for the log.

    `error` is what caused it, where that was an exception.
    """

    def __init__(self, name: str, reason: str, error: Exception | None = None) -> None:
        super().__init__(reason)
        self.failure = FAILURES[name]
        self.reason = reason
        self.error = error


def refused_with_status(error: HTTPException) -> Refused:
    """Return a refusal of the router or the form parser as one of ours."""
    return Refused(_NAME_BY_STATUS.get(error.status_code, "bad-request"), error.detail, error)


class RefusalLog:
    """The log of refusals: one event for each, and at most MAX_EVENTS of a kind in a second.

    Strangers cause these events, and must not fill a disk. Those beyond the bound are counted, and
    their number is logged when the second is over. Needs a running event loop.
    """

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
        """Write that a request from the address *peer* was refused.

        *kind* is one of our own words, never text of the peer; *facts* are further fields.
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
    """Return the request's reference, which is drawn when it is first needed."""
    if "reference_id" not in scope:
        scope["reference_id"] = secrets.token_hex(REFERENCE_BYTES)
    return str(scope["reference_id"])
