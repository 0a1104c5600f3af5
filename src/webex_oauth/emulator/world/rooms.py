"""Rooms, which people call spaces: developer.webex.com/docs/api/v1/rooms."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Literal

import msgspec

RoomType = Literal["direct", "group"]
RoomOrder = Literal["id", "lastactivity", "created", "made_public"]


class FieldFailure(msgspec.Struct, frozen=True):
    """Why one field of an item could not be delivered."""

    code: str
    reason: str


class Room(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A room exactly as the API sends it; what is absent is left out."""

    id: str
    title: str
    type: RoomType
    is_locked: bool
    last_activity: str
    creator_id: str
    created: str
    owner_id: str
    is_public: bool
    is_read_only: bool
    is_announcement_only: bool
    team_id: str | None = None
    description: str | None = None
    made_public: str | None = None
    errors: dict[str, FieldFailure] | None = None


class RoomPage(msgspec.Struct, frozen=True):
    """One page of a listing."""

    items: list[Room]


def in_order(rooms: Iterable[Room], order: RoomOrder) -> tuple[Room, ...]:
    """Sort rooms: by id upwards, or by an instant, newest first."""
    if order == "id":
        return tuple(sorted(rooms, key=attrgetter("id")))
    instant = attrgetter("last_activity" if order == "lastactivity" else order)
    return tuple(sorted(rooms, key=lambda room: (instant(room) or "", room.id), reverse=True))
