"""The shape of a failure as a person is told it; the texts stand in *_failures.py."""

from dataclasses import dataclass
from enum import Enum


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
