"""Error bodies of Webex: the gateway's shape and the identity broker's, both at every endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass

from webex_oauth.oauth.foreign_text import read_text

TRACKING_HEADER = "trackingid"


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What an error body says, as far as it says it.

    `code` is the broker's OAuth error code, `message` the text of either shape.
    """

    code: str | None
    message: str | None
    tracking_id: str | None


def read_error_body(members: Mapping[str, object]) -> ErrorBody:
    """Read `message, errors, trackingId` or `error, error_description, trackingID`."""
    message = (
        read_text(members.get("error_description"))
        or read_text(members.get("message"))
        or _first_description(members.get("errors"))
    )
    tracking_id = read_text(members.get("trackingId")) or read_text(members.get("trackingID"))
    return ErrorBody(read_text(members.get("error")), message, tracking_id)


def _first_description(errors: object) -> str | None:
    if not isinstance(errors, list) or not errors or not isinstance(errors[0], dict):
        return None
    return read_text(errors[0].get("description"))
