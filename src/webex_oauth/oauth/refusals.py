"""Refusals as RFC 6749 section 5.2 writes them."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from webex_oauth.errors import InvalidClient, InvalidGrant, TokenError, TokenRequestRefused
from webex_oauth.oauth.foreign_text import read_text

Refusal: TypeAlias = Callable[[int, Mapping[str, object]], TokenError]
"""Read the status and the members of a refusal as the error that says what to do."""

_UNAUTHORIZED = 401


def standard_refusal(status: int, members: Mapping[str, object]) -> TokenError:
    """Read a refusal that keeps to RFC 6749 section 5.2."""
    error = read_text(members.get("error"))
    description = read_text(members.get("error_description"))
    if error == "invalid_grant":
        return InvalidGrant(error, description)
    if error == "invalid_client" or status == _UNAUTHORIZED:
        return InvalidClient(error or "invalid_client", description)
    return TokenRequestRefused(error or f"status {status}", description)
