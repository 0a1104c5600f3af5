"""`GET /listrooms`: all spaces of the person, sent as Webex's answers arrive.

Its rows are the one piece of a page that is written without a template: they are most of the work
of the busiest page, and this costs a seventh of what Jinja2 takes (decision 2 in docs/decisions).
Safety rests on one rule: whatever Webex sent either went through `_escape_all` or has the shape of
`_REGULAR_INSTANT`, which is digits and fixed characters.
"""

import asyncio
import logging
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from struct import unpack
from typing import ClassVar, Final, cast

from msgspec import Struct
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from webex_oauth.errors import AccessForbidden, WebexOAuthError
from webex_oauth.flows.failures import FAILURES, Failure, api_failure
from webex_oauth.flows.person_api import Batch, first_batch, spaces
from webex_oauth.web.failure_page import show_failure
from webex_oauth.web.refusals import Refused
from webex_oauth.web.rendering import View
from webex_oauth.web.visit import Visit
from webex_oauth.webex.rooms import Room
from webex_oauth.webex.scopes import ROOMS_READ, permits

log = logging.getLogger(__name__)

MAX_FILTER_CHARACTERS: Final = 200

_SEPARATOR: Final = "\0"
"""Separates the texts of a batch. HTML cannot contain it, so no title could show it anyway."""

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
"""The shape of a regular instant and the separator behind it, with every digit as a zero."""

_NO_INSTANT: Final = "0000-00-00T00:00:00.000Z"
"""Stands where Webex gave no readable instant: no calendar has a month 0."""

_NO_INSTANT_CELL: Final = b'<time datetime="0000-00-00T00:00:00.000Z">0000-00-00 00:00 UTC</time>'
_DIGITS_TO_ZERO: Final = bytes.maketrans(b"123456789", b"000000000")
_WHOLE_INSTANT: Final = "24sx"
"""How `struct` reads a regular instant and the separator behind it."""

_UP_TO_MINUTE: Final = "16s9x"
_TYPE_IN_WORDS: Final[Mapping[str | None, bytes]] = {"direct": b"Person", "group": b"Space"}
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


class Interruption(Struct, frozen=True):
    """Why the list of spaces ends early.

    `retry_url` asks for the same list again; `reference_id` is in the log.
    """

    failure: Failure
    retry_url: str
    reference_id: str


class RoomsPage(View, frozen=True):
    """The list of spaces, around its rows.

    `filter_text` is what the person searched for, empty for all spaces. `shown_count` rows of
    `total_count` spaces were sent; they differ when a filter is set. `unreadable_count` more could
    not be read. `interruption` is None when Webex sent them all.
    """

    template: ClassVar = "rooms.html"

    filter_text: str
    shown_count: int
    total_count: int
    unreadable_count: int
    interruption: Interruption | None


async def show_rooms(visit: Visit) -> Response:
    """Show the spaces; the status is sent after Webex's first answer, so it is honest."""
    session = await visit.required_session()
    api = visit.site.integration.api(session.grant_key)
    try:
        first = await first_batch(api)
    except AccessForbidden:
        grant = await visit.site.integration.vault.grant(session.grant_key)
        if permits(grant.scopes, ROOMS_READ):
            raise
        refused = Refused("scope-missing", f"the grant lacks {ROOMS_READ}")
        return await show_failure(visit, refused, missing_scope=ROOMS_READ)
    listing = _Listing(visit, visit.query_field("filter")[:MAX_FILTER_CHARACTERS])
    if first.is_last:
        return Response(listing.whole(first), media_type="text/html")
    return _Stream(listing.stream(spaces(api, first)), media_type="text/html")


class _Stream(StreamingResponse):
    """An answer in pieces, of which no more are made once the browser has left.

    Starlette's own watches for that in a task group, which costs a list 80 µs.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        streaming = cast("asyncio.Task[None]", asyncio.current_task())

        def stop(_: object) -> None:
            streaming.cancel()

        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        leaving.add_done_callback(stop)
        try:
            await self.stream_response(send)
        except asyncio.CancelledError:
            if not leaving.done():
                raise
            streaming.uncancel()
            raise ClientDisconnect from None
        finally:
            leaving.remove_done_callback(stop)
            leaving.cancel()


class _Listing:
    """The page of spaces in the making: what was sent, and how much of it."""

    def __init__(self, visit: Visit, filter_text: str) -> None:
        self._visit = visit
        self._layout = visit.layout()
        self._filter_text = filter_text
        self._wanted = _folded(filter_text)
        self._shown_count = 0
        self._total_count = 0
        self._unreadable_count = 0

    def whole(self, only: Batch) -> bytes:
        rows = self._rows(only)
        self._note_unreadable()
        opening, closing = self._around_rows()
        return b"".join((opening, rows, closing))

    async def stream(self, batches: AsyncIterator[Batch]) -> AsyncIterator[bytes]:
        opening, _ = self._around_rows()
        yield opening
        interruption = None
        try:
            async for batch in batches:
                yield self._rows(batch)
        except WebexOAuthError as error:
            interruption = self._interruption(error)
        self._note_unreadable()
        _, closing = self._around_rows(interruption)
        yield closing

    def _rows(self, batch: Batch) -> bytes:
        rooms = batch.rooms
        self._total_count += len(rooms)
        self._unreadable_count += batch.unreadable_count
        if self._wanted:
            rooms = [room for room in rooms if self._wanted in _folded(room.title or "")]
        self._shown_count += len(rooms)
        return room_rows(rooms)

    def _around_rows(self, interruption: Interruption | None = None) -> tuple[bytes, bytes]:
        """Return the page around the rows; its end counts the rows that were written so far."""
        page = RoomsPage(
            filter_text=self._filter_text,
            shown_count=self._shown_count,
            total_count=self._total_count,
            unreadable_count=self._unreadable_count,
            interruption=interruption,
        )
        return self._visit.site.pages.around_rows(page, self._layout)

    def _note_unreadable(self) -> None:
        if self._unreadable_count:
            count = self._unreadable_count
            log.warning("%(count)s spaces that Webex listed could not be read", {"count": count})

    def _interruption(self, error: WebexOAuthError) -> Interruption:
        failure = FAILURES[api_failure(error)]
        self._visit.note_refusal(failure.name, f"the list of spaces ends early: {error}", error)
        return Interruption(failure, self._visit.here().path, self._visit.reference_id)


def _folded(text: str) -> str:
    """Return *text* without what people do not distinguish: case, width, composition."""
    return unicodedata.normalize("NFKC", text).casefold()


def room_rows(rooms: Sequence[Room]) -> bytes:
    """Return one table row for each of *rooms*, in their order."""
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
    """Return *escaped*, or words where nothing would be seen or read aloud."""
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
    """Return many texts escaped, for the price of one."""
    octets = _SEPARATOR.join(texts).encode("utf-8", "replace")
    for character, reference in _REFERENCES:
        octets = octets.replace(character, reference)
    escaped = octets.split(_SEPARATOR.encode())
    if len(escaped) == len(texts):
        return escaped
    return _escape_all([text.replace(_SEPARATOR, "\ufffd") for text in texts])


def _regular_instants(rooms: Sequence[Room]) -> bytes:
    """Return the last activities, each in the shape that all but a few come in, terminated."""
    given = [room.last_activity or "" for room in rooms]
    instants = _terminated(given)
    if instants.translate(_DIGITS_TO_ZERO) == _REGULAR_INSTANT * len(given):
        return instants
    return _terminated([_regular_instant(text) for text in given])


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
