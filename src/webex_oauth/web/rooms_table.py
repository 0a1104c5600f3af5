"""The rows of the table of spaces: the one piece of a page that is written without a template.

Rows are most of the work of the busiest page, and this costs a tenth of what Jinja2 takes
(docs/decisions/0002-rows.md). Safety rests on one rule: whatever Webex sent either went through
`_escape_all` or has the shape of `_REGULAR_INSTANT`, which is digits and fixed characters.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from struct import unpack
from typing import Final, Protocol

_SEPARATOR: Final = "\0"
"""Parts the texts of a batch. HTML has no way to write it, so no title can show it anyway."""

_SEPARATOR_OCTET: Final = b"\0"
_REPLACEMENT: Final = "\ufffd"
_REFERENCES: Final = (
    (b"&", b"&amp;"),
    (b"<", b"&lt;"),
    (b">", b"&gt;"),
    (b'"', b"&#34;"),
    (b"'", b"&#39;"),
    # A browser would read a bare carriage return as a line feed.
    (b"\r", b"&#13;"),
)
"""What escapes each character that HTML gives a meaning; the ampersand, which all use, first."""

_REGULAR_INSTANT: Final = b"0000-00-00T00:00:00.000Z\0"
"""The shape of a regular instant and the separator behind it, each digit told as a zero."""

_NO_INSTANT: Final = "0000-00-00T00:00:00.000Z"
"""Stands where Webex told no instant that can be read: no calendar has a month 0."""

_DIGITS_TO_ZERO: Final = bytes.maketrans(b"123456789", b"000000000")
_WHOLE_INSTANT: Final = "24sx"
"""How `struct` takes a regular instant and the separator behind it."""

_UP_TO_MINUTE: Final = "16s9x"
_TYPE_IN_WORDS: Final[Mapping[str | None, bytes]] = {"direct": b"Direct", "group": b"Group"}
_UNREADABLE: Final = b"<em>Webex could not decrypt this title</em>"
_UNTITLED: Final = b"<em>No title</em>"
_UNKNOWN: Final = b"<em>unknown</em>"

_ROW: Final = [
    # The style sheet lays rows out as grids, which takes the roles of table elements away.
    b'<tr role="row"><th role="rowheader" scope="row"><bdi>',
    b"title",
    b'</bdi></th><td role="cell">',
    b"type",
    b'</td><td role="cell"><time datetime="',
    b"instant",
    b'">',
    b"minute",
    b" UTC</time></td></tr>\n",
]
_TITLE_AT, _TYPE_AT, _INSTANT_AT, _MINUTE_AT = map(
    _ROW.index, (b"title", b"type", b"instant", b"minute")
)
_NO_INSTANT_CELL: Final = b'<time datetime="0000-00-00T00:00:00.000Z">0000-00-00 00:00 UTC</time>'


class Room(Protocol):
    """What a row shows of a room; `title` is None if there is none or it is unreadable."""

    @property
    def title(self) -> str | None: ...

    @property
    def is_title_unreadable(self) -> bool: ...

    @property
    def type(self) -> str | None: ...

    @property
    def last_activity(self) -> str | None: ...


def room_rows(rooms: Sequence[Room]) -> bytes:
    """Write one table row for each of *rooms*, in their order."""
    if not rooms:
        return b""
    instants = _regular_instants(rooms)
    # Laying columns into one list by strides costs half of formatting row after row; octets,
    # because one title in an Asian script would make a text of the whole table twice as wide.
    pieces = _ROW * len(rooms)
    stride = len(_ROW)
    pieces[_TITLE_AT::stride] = _titles(rooms)
    pieces[_TYPE_AT::stride] = _types(rooms)
    pieces[_INSTANT_AT::stride] = unpack(_WHOLE_INSTANT * len(rooms), instants)
    pieces[_MINUTE_AT::stride] = unpack(_UP_TO_MINUTE * len(rooms), instants.replace(b"T", b" "))
    rows = b"".join(pieces)
    return rows.replace(_NO_INSTANT_CELL, _UNKNOWN) if _REGULAR_INSTANT in instants else rows


def _titles(rooms: Sequence[Room]) -> list[bytes]:
    titles = [room.title or "" for room in rooms]
    escaped = _escape_all(titles)
    if all(map(str.strip, titles)):
        return escaped
    return [_title(room, text) for room, text in zip(rooms, escaped, strict=True)]


def _title(room: Room, escaped: bytes) -> bytes:
    """Give *escaped*, or words where nothing would be seen or read aloud."""
    if room.is_title_unreadable:
        return _UNREADABLE
    return escaped if room.title and room.title.strip() else _UNTITLED


def _types(rooms: Sequence[Room]) -> list[bytes]:
    try:
        return [_TYPE_IN_WORDS[room.type] for room in rooms]
    except KeyError:
        # A type that is younger than this code is shown as it came.
        escaped = _escape_all([room.type or "" for room in rooms])
        pairs = zip(rooms, escaped, strict=True)
        return [_TYPE_IN_WORDS.get(room.type, text or _UNKNOWN) for room, text in pairs]


def _escape_all(texts: Sequence[str]) -> list[bytes]:
    """Escape many texts for the price of one."""
    octets = _SEPARATOR.join(texts).encode("utf-8", "replace")
    for character, reference in _REFERENCES:
        octets = octets.replace(character, reference)
    escaped = octets.split(_SEPARATOR_OCTET)
    if len(escaped) == len(texts):
        return escaped
    return _escape_all([text.replace(_SEPARATOR, _REPLACEMENT) for text in texts])


def _regular_instants(rooms: Sequence[Room]) -> bytes:
    """Give the last activities, each in the shape all but a few come in, then a separator."""
    told = [room.last_activity or "" for room in rooms]
    instants = _terminated(told)
    if instants.translate(_DIGITS_TO_ZERO) == _REGULAR_INSTANT * len(told):
        return instants
    return _terminated([_regular_instant(text) for text in told])


def _terminated(texts: list[str]) -> bytes:
    return _SEPARATOR.join([*texts, ""]).encode("utf-8", "replace")


def _regular_instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            return _NO_INSTANT
        utc = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return _NO_INSTANT
    return utc.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
