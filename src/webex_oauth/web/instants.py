"""Instants and durations as a page writes them."""

from time import gmtime, strftime, struct_time
from typing import Final

LATEST_AT: Final = 253_402_300_799
"""The last second of the year 9999, the last that can be written."""

_MINUTE_SECONDS: Final = 60
_HOUR_SECONDS: Final = 3600


def utc_datetime(at: int) -> str:
    """Write *at* for the datetime attribute of a time element."""
    return strftime("%Y-%m-%dT%H:%M:%SZ", _utc(at))


def utc_text(at: int) -> str:
    """Write *at* for people."""
    return strftime("%Y-%m-%d %H:%M UTC", _utc(at))


def duration_text(seconds: int) -> str:
    """Write how long a wait is; rounded up, so that nobody comes back too early."""
    if seconds <= 2 * _MINUTE_SECONDS:
        return _plural(seconds, "second")
    if seconds <= 2 * _HOUR_SECONDS:
        return _plural(-(-seconds // _MINUTE_SECONDS), "minute")
    return _plural(-(-seconds // _HOUR_SECONDS), "hour")


def _utc(at: int) -> struct_time:
    return gmtime(min(max(at, 0), LATEST_AT))


def _plural(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"
