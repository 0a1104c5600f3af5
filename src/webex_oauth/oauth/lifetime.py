"""Lifetimes as servers state them, in seconds."""

import re

from webex_oauth.errors import InvalidResponse

LONGEST_LIFETIME_SECONDS = 10 * 366 * 24 * 3600
_DECIMAL = re.compile(r"[0-9]{1,20}", re.ASCII)


def read_lifetime(name: str, value: object) -> int | None:
    """Return *value* as positive whole seconds, ten years at most; None if it is absent.

    A number may be written 3600, 3600.0 or "3600". Raises InvalidResponse, which tells the
    member's *name*, for anything else.
    """
    if value is None:
        return None
    seconds = _whole_number(value)
    if seconds is None or seconds <= 0:
        raise InvalidResponse(f"the answer's {name} is not a positive number of seconds")
    return min(seconds, LONGEST_LIFETIME_SECONDS)


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return int(value)
    return None
