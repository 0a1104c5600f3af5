"""The rows of the table of spaces: the one place where a page is built without a template.

A row costs a seventh of what Jinja2 takes for it (docs/decisions/0002-rows.md). Safety rests on
one rule: whatever Webex sent has either passed `escape` or consists of digits and the fixed
characters of `_REGULAR_INSTANT`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from markupsafe import escape


_SEPARATOR: Final = "\0"
"""Parts the texts of a batch. HTML cannot carry it, so nothing that could be shown is lost."""

_REPLACEMENT: Final = "\ufffd"
_REGULAR_INSTANT: Final = "0000-00-00T00:00:00.000Z"
_DIGITS_TO_ZERO: Final = str.maketrans("123456789", "000000000")
_TYPE_IN_WORDS: Final = {"direct": "Direct", "group": "Group"}
_UNREADABLE: Final = "<em>Webex could not decrypt this title</em>"
_UNTITLED: Final = "<em>No title</em>"
_NO_ACTIVITY: Final = "<em>unknown</em>"


class Room(Protocol):
    """What a row shows of a room; `title` is None when Webex could not decrypt it."""

    @property
    def title(self) -> str | None: ...

    @property
    def type(self) -> str | None: ...

    @property
    def last_activity(self) -> str | None: ...


def room_rows(rooms: Sequence[Room]) -> bytes:
    """Write one table row for each of *rooms*."""
    if not rooms:
        return b""
    return "".join(
        [
            f'<tr><th scope="row"><bdi>{title}</bdi></th><td>{kind}</td><td>{activity}</td></tr>\n'
            for title, kind, activity in zip(
                _titles(rooms), _types(rooms), _activities(rooms), strict=True
            )
        ]
    ).encode("utf-8", "replace")


def _titles(rooms: Sequence[Room]) -> list[str]:
    titles = [room.title for room in rooms]
    escaped = _escape_all([title or "" for title in titles])
    if all(titles):
        return escaped
    return [
        text or (_UNREADABLE if title is None else _UNTITLED)
        for title, text in zip(titles, escaped, strict=True)
    ]


def _escape_all(texts: Sequence[str]) -> list[str]:
    """Escape many texts for the price of one."""
    escaped = str(escape(_SEPARATOR.join(texts))).split(_SEPARATOR)
    if len(escaped) == len(texts):
        return escaped
    return [str(escape(text.replace(_SEPARATOR, _REPLACEMENT))) for text in texts]


def _types(rooms: Iterable[Room]) -> list[str]:
    return [_TYPE_IN_WORDS.get(room.type or "") or _escape_one(room.type) for room in rooms]


def _escape_one(text: str | None) -> str:
    return str(escape((text or "").replace(_SEPARATOR, _REPLACEMENT)))


def _activities(rooms: Sequence[Room]) -> list[str]:
    instants = [room.last_activity or "" for room in rooms]
    if _are_regular(instants):
        return [
            f'<time datetime="{text}">{text[:10]} {text[11:16]} UTC</time>' for text in instants
        ]
    return [_activity(text) for text in instants]


def _are_regular(instants: Sequence[str]) -> bool:
    shapes = _SEPARATOR.join(instants).translate(_DIGITS_TO_ZERO)
    return shapes == _SEPARATOR.join([_REGULAR_INSTANT] * len(instants))


def _activity(text: str) -> str:
    """Write an instant of another shape, or say that there is none to write."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return _NO_ACTIVITY
    if instant.tzinfo is None:
        return _NO_ACTIVITY
    instant = instant.astimezone(UTC)
    return f'<time datetime="{instant:%Y-%m-%dT%H:%M:%SZ}">{instant:%Y-%m-%d %H:%M} UTC</time>'
