"""Refusals: requests of the application that end in a failure."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import Scope

from webex_oauth.flows.failures import FAILURES
from webex_oauth.flows.refusal_log import new_reference

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


def reference_id(scope: Scope) -> str:
    """Return the request's reference, which is drawn when it is first needed."""
    if "reference_id" not in scope:
        scope["reference_id"] = new_reference()
    return str(scope["reference_id"])
