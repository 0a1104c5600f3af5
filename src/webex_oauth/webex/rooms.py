"""Rooms, which people call spaces."""

from typing import Literal, TypeAlias

from msgspec import Struct, structs

from webex_oauth.errors import InvalidResponse
from webex_oauth.webex.api import Call, Listing
from webex_oauth.webex.decoding import id_in, json_reader, read_members, text
from webex_oauth.webex.ids import Id
from webex_oauth.webex.paging import Items
from webex_oauth.webex.path import api_path

RoomType: TypeAlias = Literal["direct", "group"]
RoomOrder: TypeAlias = Literal["id", "lastactivity", "created"]
LARGEST_PAGE = 1_000


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
    `is_title_unreadable` tells apart. Each further member would cost a hundredth of the time that
    reading a page takes.
    """

    id: Id
    title: str | None = None
    type: str | None = None
    last_activity: str | None = None
    errors: FieldErrors | None = None

    @property
    def is_title_unreadable(self) -> bool:
        """Tell whether there is a title that Webex could not decrypt."""
        return self.errors is not None and self.errors.title is not None


class _RoomPage(Struct, frozen=True):
    items: list[Room]


_decode_page = json_reader(_RoomPage)


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
    room = _room(read_members(body))
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
    """Read a page in which something is not as it should be: what is usable is used."""
    members = read_members(body)
    items = members.get("items", "absent")
    if items is None:
        return Items([])
    if not isinstance(items, list):
        raise InvalidResponse("the API's answer is not a page: it has no list of items")
    rooms = [room for room in map(_room, items) if room is not None]
    return Items(rooms, unreadable_count=len(items) - len(rooms))


def _room(members: object) -> Room | None:
    """Return what can be read of a room; None of what has no id."""
    if not isinstance(members, dict) or (id_ := id_in(members)) is None:
        return None
    room = Room(
        id=id_,
        title=text(members.get("title")),
        type=text(members.get("type")),
        last_activity=text(members.get("lastActivity")),
        errors=_errors(members.get("errors")),
    )
    return _readable(room)


def _errors(value: object) -> FieldErrors | None:
    """Return whether there is an error of the title, in whatever words it comes."""
    if not isinstance(value, dict) or (title := value.get("title")) is None:
        return None
    told = title if isinstance(title, dict) else {}
    return FieldErrors(FieldError(text(told.get("code")), text(told.get("reason"))))


def _readable(room: Room) -> Room:
    # Beside a `kms_failure` the title is the ciphertext.
    if not room.is_title_unreadable:
        return room
    return structs.replace(room, title=None)
