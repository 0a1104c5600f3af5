"""Rooms, which people call spaces."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Raw, Struct, structs

from webex_oauth.errors import InvalidResponse
from webex_oauth.webex.api import Call, Items, Listing, api_path
from webex_oauth.webex.decoding import (
    MAX_ID_CHARACTERS,
    Id,
    json_reader,
    raw_text,
    without_half_pairs,
)

RoomType: TypeAlias = Literal["direct", "group"]
RoomOrder: TypeAlias = Literal["id", "lastactivity", "created"]
LARGEST_PAGE = 1_000
MAX_TITLE_CHARACTERS = 256
MAX_WORD_CHARACTERS = 64

_NOTHING = Raw(b"")
_ABSENT = (_NOTHING, Raw(b"null"))

Title: TypeAlias = Annotated[str, Meta(max_length=MAX_TITLE_CHARACTERS)]
Word: TypeAlias = Annotated[str, Meta(max_length=MAX_WORD_CHARACTERS)]


class FieldError(Struct, frozen=True, gc=False):
    """Why Webex could not give a field, such as `kms_failure` for one it could not decrypt."""

    code: str | None = None
    reason: str | None = None


class FieldErrors(Struct, frozen=True, gc=False):
    """The fields of a room that Webex could not give."""

    title: FieldError | None = None


class Room(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """What a list shows of a room; dates are RFC 3339 text that sorts as it stands.

    `title` is None when there is none or when Webex could not decrypt it, which
    `is_title_unreadable` tells apart; a long one is cut. Each further member would cost a hundredth
    of the time that reading a page takes.
    """

    id: Id
    title: Title | None = None
    type: Word | None = None
    last_activity: Word | None = None
    errors: FieldErrors | None = None

    @property
    def is_title_unreadable(self) -> bool:
        """Return whether there is a title that Webex could not decrypt."""
        return self.errors is not None and self.errors.title is not None


class _RoomPage(Struct, frozen=True):
    items: Annotated[list[Room], Meta(max_length=LARGEST_PAGE)]


class _RawPage(Struct):
    items: list[Raw]


class _RawRoom(Struct, rename="camel"):
    """A room as it stands in a body: nothing is built of what is not used."""

    id: Raw = _NOTHING
    title: Raw = _NOTHING
    type: Raw = _NOTHING
    last_activity: Raw = _NOTHING
    errors: Raw = _NOTHING


class _RawErrors(Struct):
    title: Raw = _NOTHING


class _RawError(Struct):
    code: Raw = _NOTHING
    reason: Raw = _NOTHING


_decode_page = json_reader(_RoomPage)
_decode_raw_page = json_reader(_RawPage)
_decode_raw_room = json_reader(_RawRoom)
_decode_raw_errors = json_reader(_RawErrors)
_decode_raw_error = json_reader(_RawError)


def get(room_id: str) -> Call[Room]:
    """Ask for one room; raises ValueError for what cannot be an id."""
    return Call(api_path("rooms", room_id), _read_room)


def listing(
    *,
    max_items: int | None = None,
    room_type: RoomType | None = None,
    team_id: str | None = None,
    sort_by: RoomOrder | None = None,
) -> Listing[Room]:
    """Ask for the person's rooms, *max_items* (1 to 1000) on a page, else Webex's 100.

    Raises ValueError for another number.
    """
    if max_items is not None and not 1 <= max_items <= LARGEST_PAGE:
        raise ValueError("a page holds 1 to 1000 rooms")
    query = {
        "max": None if max_items is None else str(max_items),
        "type": room_type,
        "teamId": team_id,
        "sortBy": sort_by,
    }
    stated = {name: value for name, value in query.items() if value is not None}
    return Listing(api_path("rooms"), _read_rooms, stated)


def _read_room(body: bytes) -> Room:
    room = _room(without_half_pairs(body))
    if room is None:
        raise InvalidResponse("the API's answer is not a room: it has no id")
    return room


def _read_rooms(body: bytes) -> Items[Room]:
    try:
        rooms = _decode_page(body).items
    except InvalidResponse:
        return _read_one_by_one(body)
    # The test is repeated here because a call for each of 1,000 rooms is what it costs otherwise.
    return Items([room if room.errors is None else _readable(room) for room in rooms])


def _read_one_by_one(body: bytes) -> Items[Room]:
    """Read a page in which something is not as it should be: what is usable is used.

    Where nothing is, it is no page of rooms.
    """
    try:
        page = _decode_raw_page(body)
    except InvalidResponse:
        page = _decode_raw_page(without_half_pairs(body))
    items = page.items
    if len(items) > LARGEST_PAGE:
        raise InvalidResponse(f"the API's answer is a page of more than {LARGEST_PAGE} rooms")
    rooms = [room for room in map(_room, items) if room is not None]
    if items and not rooms:
        raise InvalidResponse("the API's answer is not a page of rooms: no item has an id")
    return Items(rooms, unreadable_count=len(items) - len(rooms))


def _room(members: bytes | Raw) -> Room | None:
    """Return what can be read of a room; None of what has no id."""
    try:
        raw = _decode_raw_room(members)
    except InvalidResponse:
        return None
    id_ = raw_text(raw.id, MAX_ID_CHARACTERS + 1)
    if not id_ or len(id_) > MAX_ID_CHARACTERS:
        return None
    room = Room(
        id=id_,
        title=raw_text(raw.title, MAX_TITLE_CHARACTERS),
        type=raw_text(raw.type, MAX_WORD_CHARACTERS),
        last_activity=raw_text(raw.last_activity, MAX_WORD_CHARACTERS),
        errors=_errors(raw.errors),
    )
    return _readable(room)


def _errors(value: Raw) -> FieldErrors | None:
    """Return whether there is an error of the title, in whatever words it comes."""
    try:
        title = _decode_raw_errors(value).title
    except InvalidResponse:
        return None
    if title in _ABSENT:
        return None
    try:
        told = _decode_raw_error(title)
    except InvalidResponse:
        return FieldErrors(FieldError())
    return FieldErrors(FieldError(raw_text(told.code), raw_text(told.reason)))


def _readable(room: Room) -> Room:
    # Beside a `kms_failure` the title is the ciphertext.
    if not room.is_title_unreadable:
        return room
    return structs.replace(room, title=None)
