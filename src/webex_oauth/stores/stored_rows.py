"""Rows as a database returns them: anyone who can write to it can put anything into a column."""

import logging
from collections.abc import Iterable, Sequence

from webex_oauth.errors import SealBroken
from webex_oauth.vault.rows import Kind, Row

MAX_NAME_BYTES = 64
MAX_REV = 1 << 62
LATEST_INSTANT = 253_402_300_799
"""The end of the year 9999, the last one that a date can name."""

_log = logging.getLogger(__name__)


def row_of(kind: Kind, columns: Sequence[object]) -> Row:
    """Return the row of *columns*: name, rev, body, group, at, over_at.

    Raises SealBroken if name, rev or body cannot be. A group or an instant that cannot be counts as
    absent: nothing is decided by them.
    """
    name, rev, body, group, at, over_at = columns
    if not (isinstance(name, bytes) and isinstance(body, bytes) and type(rev) is int):
        raise _unreadable(kind, name)
    if not (0 < len(name) <= MAX_NAME_BYTES and 0 < rev <= MAX_REV):
        raise _unreadable(kind, name)
    own_group = group if isinstance(group, bytes) else b""
    return Row(kind, name, rev, body, own_group, _instant(at), _instant(over_at))


def rows_of(kind: Kind, found: Iterable[Sequence[object]]) -> list[Row]:
    """Return the rows that can be read; log the others."""
    rows = []
    for columns in found:
        try:
            rows.append(row_of(kind, columns))
        except SealBroken as error:
            _log.error("a stored row cannot be read: %(error)s", {"error": str(error)})
    return rows


def _instant(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= LATEST_INSTANT else None


def _unreadable(kind: Kind, name: object) -> SealBroken:
    shown = name.hex()[:12] if isinstance(name, bytes) else "without a name"
    return SealBroken(f"the {kind} {shown} has values in the store that are not this program's")
