"""Paging: `max`, the opaque cursor, and the Link header (RFC 8288)."""

import base64
import binascii
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlencode

from webex_oauth.emulator.endpoints.answers import ApiRefusal

_CURSOR = re.compile(r"emulator:after:(?P<position>[0-9]{1,9})")
_NUMBER = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a listing is asked for."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """Where the next page begins."""
        return self.start + self.size


def read_page_request(
    query: list[tuple[str, str]], *, default: int, cap: int, over_cap: Literal["clamp", "refuse"]
) -> PageRequest:
    """Read `max` and `cursor`; raise `ApiRefusal` (400) for values that mean nothing."""
    value_by_name = dict(query)
    size = _read_number(value_by_name.get("max", str(default)))
    is_refused = size > cap and over_cap == "refuse"
    if size < 1 or is_refused:
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, f"max must be between 1 and {cap}.")
    cursor = value_by_name.get("cursor")
    return PageRequest(_read_cursor(cursor) if cursor else 0, min(size, cap))


def next_link(url: str, query: list[tuple[str, str]], page: PageRequest) -> str:
    """Write the Link header that leads to the page after *page*, keeping the query."""
    kept = [(name, value) for name, value in query if name != "cursor"]
    cursor = base64.urlsafe_b64encode(f"emulator:after:{page.end}".encode()).decode().rstrip("=")
    return f'<{url}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'


def _read_number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, "max must be a number.")
    return int(text)


def _read_cursor(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError) as cause:
        raise _bad_cursor() from cause
    form = _CURSOR.fullmatch(text)
    if form is None:
        raise _bad_cursor()
    return int(form["position"])


def _bad_cursor() -> ApiRefusal:
    return ApiRefusal(HTTPStatus.BAD_REQUEST, "cursor is invalid.")
