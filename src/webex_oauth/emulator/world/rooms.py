"""Rooms, which people call spaces: developer.webex.com/docs/api/v1/rooms."""

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


def in_order(rooms: tuple[Room, ...], order: RoomOrder) -> tuple[Room, ...]:
    """Sort rooms: by id upwards, or by an instant, newest first."""
    if order == "lastactivity":
        return tuple(sorted(rooms, key=_newest_activity, reverse=True))
    if order == "created":
        return tuple(sorted(rooms, key=_newest_creation, reverse=True))
    if order == "made_public":
        return tuple(sorted(rooms, key=_newest_publication, reverse=True))
    return tuple(sorted(rooms, key=_identity))


def _identity(room: Room) -> str:
    return room.id


def _newest_activity(room: Room) -> tuple[str, str]:
    return room.last_activity, room.id


def _newest_creation(room: Room) -> tuple[str, str]:
    return room.created, room.id


def _newest_publication(room: Room) -> tuple[str, str]:
    return room.made_public or "", room.id
