"""Servers that cannot answer now (429, 408, 5xx), and how long they ask to be left alone."""

import re
from calendar import timegm
from email.utils import parsedate_to_datetime

from webex_oauth.errors import RateLimited, ServerFailed
from webex_oauth.oauth.http import HttpResponse, trimmed

SHORTEST_WAIT_SECONDS = 1
LONGEST_WAIT_SECONDS = 3600
DEFAULT_WAIT_SECONDS = 15
_MAX_CHARACTERS = 64
_DELAY_SECONDS = re.compile(r"[0-9]+", re.ASCII)
_TOO_MANY_REQUESTS = 429
_REQUEST_TIMEOUT = 408
_FIRST_SERVER_ERROR = 500


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


def check_not_throttled(response: HttpResponse, now: int) -> None:
    """Raise RateLimited for a 429; its body is not looked at, it may be anything."""
    if response.status == _TOO_MANY_REQUESTS:
        raise RateLimited(read_retry_after(response.headers.get("retry-after"), now))


def check_not_failed(response: HttpResponse, now: int, tracking_id: str | None = None) -> None:
    """Raise ServerFailed for a 408 or anything from 500 up."""
    if response.status != _REQUEST_TIMEOUT and response.status < _FIRST_SERVER_ERROR:
        return
    stated = response.headers.get("retry-after")
    raise ServerFailed(
        response.status,
        tracking_id=tracking_id,
        retry_after_seconds=None if stated is None else read_retry_after(stated, now),
    )
