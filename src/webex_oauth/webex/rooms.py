"""Rooms, which people call spaces."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Raw, Struct, structs

from webex_oauth.errors import InvalidResponse
from webex_oauth.webex.api import (
    MAX_ID_CHARACTERS,
    Call,
    Id,
    Listing,
    Page,
    api_path,
    json_reader,
    raw_text,
    usable_id,
    without_half_pairs,
)

RoomOrder: TypeAlias = Literal["id", "lastactivity", "created"]
LARGEST_PAGE: Final = 1_000
MAX_TITLE_CHARACTERS: Final = 256
MAX_WORD_CHARACTERS: Final = 64
_NOTHING = Raw(b"")
_ABSENT = (_NOTHING, Raw(b"null"))
Title: TypeAlias = Annotated[str, Meta(max_length=MAX_TITLE_CHARACTERS)]
Word: TypeAlias = Annotated[str, Meta(max_length=MAX_WORD_CHARACTERS)]


class FieldErrors(Struct, frozen=True, gc=False):
    """The fields of a room that Webex could not give, each with its reason as JSON."""

    title: Raw = _NOTHING


class Room(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """What a list shows of a room; dates are RFC 3339 text that sorts as it stands.

    `title` is None if there is none or if Webex could not decrypt it, which `is_title_unreadable`
    tells apart; a long one is cut. Each further member would make reading a page 1 % slower.
    """

    id: Id
    title: Title | None = None
    type: Word | None = None
    last_activity: Word | None = None
    errors: FieldErrors | None = None

    @property
    def is_title_unreadable(self) -> bool:
        """Whether there is a title that Webex could not decrypt."""
        return self.errors is not None and self.errors.title not in _ABSENT


class _RoomPage(Struct, frozen=True):
    items: Annotated[list[Room], Meta(max_length=LARGEST_PAGE)]


class _RawPage(Struct, frozen=True):
    items: list[Raw]


class _RawRoom(Struct, frozen=True, rename="camel"):
    """A room as it stands in a body: nothing is built of what is not used."""

    id: Raw = _NOTHING
    title: Raw = _NOTHING
    type: Raw = _NOTHING
    last_activity: Raw = _NOTHING
    errors: Raw = _NOTHING


_decode_page = json_reader(_RoomPage)
_decode_raw_page = json_reader(_RawPage)
_decode_raw_room = json_reader(_RawRoom)
_decode_errors = json_reader(FieldErrors)


def get(room_id: str) -> Call[Room]:
    """Return the question for one room; raise ValueError for what cannot be an id."""
    return Call(api_path("rooms", room_id), _read_room)


def listing(*, max_items: int | None = None, sort_by: RoomOrder | None = None) -> Listing[Room]:
    """Return the question for the person's rooms, *max_items* on a page, or Webex's 100.

    Raises ValueError for fewer than 1 or more than 1000.
    """
    if max_items is not None and not 1 <= max_items <= LARGEST_PAGE:
        raise ValueError("a page holds 1 to 1000 rooms")
    query = {} if max_items is None else {"max": str(max_items)}
    if sort_by is not None:
        query["sortBy"] = sort_by
    return Listing(api_path("rooms", query=query), _read_rooms)


def _read_room(body: bytes) -> Room:
    room = _room(without_half_pairs(body))
    if room is None:
        raise InvalidResponse("the API's answer is not a room: it has no id")
    return room


def _read_rooms(body: bytes) -> Page[Room]:
    try:
        rooms = _decode_page(body).items
    except InvalidResponse:
        return _read_one_by_one(body)
    # The condition stands here too, because calling for each of 1,000 rooms would cost most.
    return Page([room if room.errors is None else _without_ciphertext(room) for room in rooms])


def _read_one_by_one(body: bytes) -> Page[Room]:
    """Return what is usable of a page in which something is odd; raise if nothing is."""
    try:
        page = _decode_raw_page(body)
    except InvalidResponse:
        page = _decode_raw_page(without_half_pairs(body))
    if len(page.items) > LARGEST_PAGE:
        raise InvalidResponse(f"the API's answer is a page of more than {LARGEST_PAGE} rooms")
    rooms = [room for room in map(_room, page.items) if room is not None]
    if page.items and not rooms:
        raise InvalidResponse("the API's answer is not a page of rooms: no item has an id")
    return Page(rooms, unreadable_count=len(page.items) - len(rooms))


def _room(members: bytes | Raw) -> Room | None:
    """Return what can be read of a room; None if it has no id."""
    try:
        raw = _decode_raw_room(members)
    except InvalidResponse:
        return None
    id_ = usable_id(raw_text(raw.id, MAX_ID_CHARACTERS + 1))
    if id_ is None:
        return None
    return _without_ciphertext(
        Room(
            id=id_,
            title=raw_text(raw.title, MAX_TITLE_CHARACTERS),
            type=raw_text(raw.type, MAX_WORD_CHARACTERS),
            last_activity=raw_text(raw.last_activity, MAX_WORD_CHARACTERS),
            errors=_errors(raw.errors),
        )
    )


def _errors(value: Raw) -> FieldErrors | None:
    try:
        return _decode_errors(value)
    except InvalidResponse:
        return None


def _without_ciphertext(room: Room) -> Room:
    # The title beside a `kms_failure` is the ciphertext.
    return structs.replace(room, title=None) if room.is_title_unreadable else room
