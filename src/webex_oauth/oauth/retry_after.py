"""How long a server asks to be left alone (RFC 9110 section 10.2.3)."""

import re
from calendar import timegm
from email.utils import parsedate_to_datetime

from webex_oauth.oauth.http import trimmed

SHORTEST_WAIT_SECONDS = 1
LONGEST_WAIT_SECONDS = 3600
DEFAULT_WAIT_SECONDS = 15
_MAX_CHARACTERS = 64
_DELAY_SECONDS = re.compile(r"[0-9]+", re.ASCII)


def read_retry_after(value: str | None, now: int) -> int:
    """Read a `retry-after` header as seconds between 1 and 3600; 15 when it says nothing usable."""
    stated = trimmed(value or "")
    if len(stated) > _MAX_CHARACTERS or not stated.isascii():
        return DEFAULT_WAIT_SECONDS
    seconds = _seconds(stated, now)
    if seconds is None:
        return DEFAULT_WAIT_SECONDS
    return min(max(seconds, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)


def _seconds(stated: str, now: int) -> int | None:
    if _DELAY_SECONDS.fullmatch(stated):
        return int(stated)
    instant = _instant(stated)
    return None if instant is None else instant - now


def _instant(http_date: str) -> int | None:
    try:
        return timegm(parsedate_to_datetime(http_date).utctimetuple())
    except (ValueError, OverflowError):
        return None
