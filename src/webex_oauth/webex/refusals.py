"""Error bodies of Webex: the gateway's shape and the identity broker's, both at every endpoint.

This is the only module that looks at the text of a message, because the gateway sends no code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from webex_oauth.errors import InvalidClient, InvalidGrant, TokenError, TokenRequestRefused
from webex_oauth.oauth.foreign_text import read_text

TRACKING_HEADER = "trackingid"
_BAD_REQUEST = 400
_UNAUTHORIZED = 401
_GRANT_CODES = frozenset({"invalid_grant", "invalid_refresh_token"})
_UNSPECIFIC_CODES = frozenset({"", "invalid_request"})
_OTHER_CODES = frozenset(
    {
        "access_denied",
        "authorization_pending",
        "invalid_client",
        "invalid_scope",
        "server_error",
        "slow_down",
        "temporarily_unavailable",
        "tokenlimit_reached",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_token_type",
    }
)
_CODES = _GRANT_CODES | _UNSPECIFIC_CODES | _OTHER_CODES
_CLIENT_TEXTS = ("client_secret", "client secret", "client id is invalid")
_WORD = re.compile(r"[a-z_]+")


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


def read_refusal(status: int, members: Mapping[str, object]) -> TokenError:
    """Read a refusal of either shape.

    Wrong credentials of the integration are a 401, or a 400 that speaks of them; any other 400
    without a reason of its own means that the code or the refresh token is spent.
    """
    body = read_error_body(members)
    code = body.code or _code_in(body.message or "")
    if code in _GRANT_CODES:
        return _refusal(InvalidGrant, code, body)
    if status == _UNAUTHORIZED or _is_about_client(code, body.message or ""):
        return _refusal(InvalidClient, code or "invalid_client", body)
    if status == _BAD_REQUEST and code in _UNSPECIFIC_CODES:
        return _refusal(InvalidGrant, code or "invalid_grant", body)
    return _refusal(TokenRequestRefused, code or f"status {status}", body)


def _refusal(kind: type[TokenError], code: str, body: ErrorBody) -> TokenError:
    return kind(code, body.message, tracking_id=body.tracking_id)


def _is_about_client(code: str, message: str) -> bool:
    if code not in _UNSPECIFIC_CODES:
        return code == "invalid_client"
    return any(text in message.lower() for text in _CLIENT_TEXTS)


def _code_in(message: str) -> str:
    return next((word for word in _WORD.findall(message) if word in _CODES), "")
