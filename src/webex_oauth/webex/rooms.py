"""Rooms, which people call spaces."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct, structs

from webex_oauth.webex.api import Call, Listing
from webex_oauth.webex.decoding import json_reader
from webex_oauth.webex.ids import Id
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

    `title` is None when there is none or when Webex could not decrypt it. Each further member
    would cost a hundredth of the time that reading a page takes.
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


_decode_room = json_reader(Room)
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
    return _readable(_decode_room(body))


def _read_rooms(body: bytes) -> Sequence[Room]:
    # The test is repeated here because a call for each of 1,000 rooms is what it costs otherwise.
    rooms = _decode_page(body).items
    return [room if room.errors is None else _readable(room) for room in rooms]


def _readable(room: Room) -> Room:
    # Beside a `kms_failure` the title is the ciphertext.
    if not room.is_title_unreadable:
        return room
    return structs.replace(room, title=None)
