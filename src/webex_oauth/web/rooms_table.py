"""The rows of the table of spaces: the one piece of a page that is written without a template.

Rows are most of the work of the busiest page, and this costs a seventh of what Jinja2 takes
(docs/decisions/0002-rows.md). Safety rests on one rule: whatever Webex sent either went through
`escape` or has the shape of `_REGULAR_INSTANT`, which is digits and fixed characters.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from markupsafe import escape

_SEPARATOR: Final = "\0"
"""Parts the texts of a batch. HTML has no way to write it, so no title can show it anyway."""

_REPLACEMENT: Final = "\ufffd"
_REGULAR_INSTANT: Final = "0000-00-00T00:00:00.000Z"
_NO_INSTANT: Final = _REGULAR_INSTANT
"""Stands where Webex told no instant that can be read: no calendar has a month 0."""

_DIGITS_TO_ZERO: Final = str.maketrans("123456789", "000000000")
_TYPE_IN_WORDS: Final[Mapping[str | None, str]] = {"direct": "Direct", "group": "Group"}
_UNREADABLE: Final = "<em>Webex could not decrypt this title</em>"
_UNTITLED: Final = "<em>No title</em>"
_UNKNOWN: Final = "<em>unknown</em>"

_ROW: Final = [
    '<tr><th scope="row"><bdi>',
    "title",
    "</bdi></th><td>",
    "type",
    '</td><td><time datetime="',
    "instant",
    '">',
    "minute",
    " UTC</time></td></tr>\n",
]
_TITLE_AT, _TYPE_AT, _INSTANT_AT, _MINUTE_AT = map(
    _ROW.index, ("title", "type", "instant", "minute")
)


class Room(Protocol):
    """What a row shows of a room; `title` is None when Webex could not decrypt it."""

    @property
    def title(self) -> str | None: ...

    @property
    def type(self) -> str | None: ...

    @property
    def last_activity(self) -> str | None: ...


def room_rows(rooms: Sequence[Room]) -> bytes:
    """Write one table row for each of *rooms*, in their order."""
    if not rooms:
        return b""
    instants = _regular_instants(rooms)
    # Laying columns into one list by strides costs half of formatting row after row.
    pieces = _ROW * len(rooms)
    stride = len(_ROW)
    pieces[_TITLE_AT::stride] = _titles(rooms)
    pieces[_TYPE_AT::stride] = _types(rooms)
    pieces[_INSTANT_AT::stride] = instants
    pieces[_MINUTE_AT::stride] = _minutes(instants)
    rows = "".join(pieces)
    if _NO_INSTANT in instants:
        rows = rows.replace(_NO_INSTANT_CELL, _UNKNOWN)
    return rows.encode("utf-8", "replace")


_NO_INSTANT_CELL: Final = f'<time datetime="{_NO_INSTANT}">0000-00-00 00:00 UTC</time>'


def _titles(rooms: Sequence[Room]) -> list[str]:
    titles = [room.title or "" for room in rooms]
    escaped = _escape_all(titles)
    if all(map(str.strip, titles)):
        return escaped
    return [_title(room.title, text) for room, text in zip(rooms, escaped, strict=True)]


def _title(title: str | None, escaped: str) -> str:
    """Give *escaped*, or words where nothing would be seen or read aloud."""
    if title is None:
        return _UNREADABLE
    return escaped if title.strip() else _UNTITLED


def _types(rooms: Sequence[Room]) -> list[str]:
    try:
        return [_TYPE_IN_WORDS[room.type] for room in rooms]
    except KeyError:
        # A type that is younger than this code is shown as it came.
        return _escape_all([_TYPE_IN_WORDS.get(room.type, room.type or "") for room in rooms])


def _escape_all(texts: Sequence[str]) -> list[str]:
    """Escape many texts for the price of one."""
    # A browser would read a bare carriage return as a line feed.
    joined = str(escape(_SEPARATOR.join(texts))).replace("\r", "&#13;")
    escaped = joined.split(_SEPARATOR)
    if len(escaped) == len(texts):
        return escaped
    return _escape_all([text.replace(_SEPARATOR, _REPLACEMENT) for text in texts])


def _regular_instants(rooms: Sequence[Room]) -> list[str]:
    """Give the last activity of each room in the shape that all but a few come in."""
    instants = [room.last_activity or "" for room in rooms]
    shapes = _SEPARATOR.join(instants).translate(_DIGITS_TO_ZERO)
    if shapes == _SEPARATOR.join([_REGULAR_INSTANT] * len(instants)):
        return instants
    return [_regular_instant(text) for text in instants]


def _minutes(instants: Sequence[str]) -> list[str]:
    """Write regular instants for people: their first sixteen characters reach to the minute."""
    spaced = _SEPARATOR.join(instants).replace("T", " ").split(_SEPARATOR)
    return [text[:16] for text in spaced]


def _regular_instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            return _NO_INSTANT
        utc = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return _NO_INSTANT
    return utc.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
