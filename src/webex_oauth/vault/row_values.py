"""What the values of a stored row can be: whatever else is there counts as a broken seal.

Anybody who can write to the store can put anything into a row, and only a part of it is sealed.
"""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from webex_oauth.errors import SealBroken

T = TypeVar("T")

LATEST_INSTANT = 253_402_300_799
"""The end of the year 9999, which is the last one that a date can name."""

MOST_COUNTED = 1 << 30
LATEST_VERSION = (1 << 63) - 1

log = logging.getLogger(__name__)


def is_bytes(value: object) -> bool:
    """Check for bytes."""
    return isinstance(value, bytes)


def is_instant(value: object) -> bool:
    """Check for an instant that can be computed with."""
    return _is_number(value, LATEST_INSTANT)


def is_count(value: object) -> bool:
    """Check for a number of times."""
    return _is_number(value, MOST_COUNTED)


def is_version(value: object) -> bool:
    """Check for a version of a grant."""
    return _is_number(value, LATEST_VERSION)


def or_none(check: Callable[[object], bool]) -> Callable[[object], bool]:
    """Check as *check* does, and let None pass."""
    return lambda value: value is None or check(value)


def check_row(kind: str, name: object, *checks: tuple[object, Callable[[object], bool]]) -> None:
    """Raise SealBroken when a value of the row is not what its check asks for."""
    if not all(check(value) for value, check in checks):
        raise unreadable(kind, name)


def unreadable(kind: str, name: object) -> SealBroken:
    """Return the error for a row of that name whose values cannot be."""
    digest = name.hex()[:12] if isinstance(name, bytes) else "without a name"
    return SealBroken(f"the {kind} {digest} has values in the store that are not this program's")


def read_each(read: Callable[..., T], rows: Iterable[Iterable[object]]) -> list[T]:
    """Read rows by their values; pass over one whose values cannot be, and log it."""
    records = []
    for row in rows:
        try:
            records.append(read(*row))
        except SealBroken as error:
            log.error("a stored row cannot be read: %(error)s", {"error": str(error)})  # noqa: TRY400 - no trace is needed
    return records


def _is_number(value: object, most: int) -> bool:
    return type(value) is int and 0 <= value <= most
