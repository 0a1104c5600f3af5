"""The world: people with accounts, the rooms (people say spaces) they are in, and their ids."""

import base64
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Literal

import msgspec

RoomType = Literal["direct", "group"]
RoomOrder = Literal["id", "lastactivity", "created", "made_public"]
RoomSource = Callable[[], Iterable["Room"]]

_FORM = re.compile(r"ciscospark://[^/]+/(?P<kind>[A-Z_]+)/(?P<key>[0-9a-f-]{36})")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def webex_id(kind: str, key: str) -> str:
    """Return the id of the *kind* (PEOPLE, ROOM, ...) that has this *key*."""
    uri = f"ciscospark://us/{kind}/{key}"
    return base64.b64encode(uri.encode()).decode().rstrip("=")


def read_webex_id(kind: str, text: str) -> str:
    """Return the UUID in an id of this *kind*, or in a bare UUID; raise `ValueError` otherwise."""
    try:
        uri = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except ValueError:
        uri = ""
    form = _FORM.fullmatch(uri)
    key = form["key"] if form and form["kind"] == kind else text
    if not _UUID.fullmatch(key):
        raise ValueError("Expect base64 ID or UUID.")
    return key.lower()


def webex_instant(milliseconds: int) -> str:
    """Return in Webex's form an instant in milliseconds since 1970."""
    instant = _EPOCH + timedelta(milliseconds=milliseconds)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone with a Webex account. Instants are milliseconds since 1970."""

    uuid: str
    email: str
    display_name: str
    first_name: str
    last_name: str
    organization_uuid: str
    created_ms: int
    last_modified_ms: int
    last_activity_ms: int | None = None
    has_avatar: bool = False
    job_title: str = ""
    department: str = ""
    work_phone: str = ""
    can_sign_in: bool = True
    about: str = ""
    """What the emulator's sign-in page says about this person; never sent by the API."""

    @property
    def id(self) -> str:
        """The id in Webex's form."""
        return webex_id("PEOPLE", self.uuid)


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
    errors: dict[str, dict[str, str]] | None = None


class World:
    """People and rooms; a person's rooms are made when they are first asked for."""

    def __init__(self) -> None:
        self._person_by_uuid: dict[str, Person] = {}
        self._source_by_person: dict[str, RoomSource] = {}
        self._room_by_id_by_person: dict[str, dict[str, Room]] = {}
        self._ordered: dict[tuple[str, RoomOrder], tuple[Room, ...]] = {}

    @property
    def people(self) -> tuple[Person, ...]:
        """The people with accounts, in the order in which they were added."""
        return tuple(self._person_by_uuid.values())

    @property
    def sign_in_people(self) -> tuple[Person, ...]:
        """The people who can sign in."""
        return tuple(person for person in self.people if person.can_sign_in)

    def add_person(self, person: Person, rooms: RoomSource = tuple) -> Person:
        """Add or replace a person, with a source of the rooms they are in."""
        self._person_by_uuid[person.uuid] = person
        self._source_by_person[person.uuid] = rooms
        self._forget_rooms(person.uuid)
        return person

    def remove_person(self, uuid: str) -> None:
        """Forget a person and their rooms."""
        self._person_by_uuid.pop(uuid, None)
        self._source_by_person.pop(uuid, None)
        self._forget_rooms(uuid)

    def person(self, uuid: str) -> Person | None:
        """Return the person with this UUID."""
        return self._person_by_uuid.get(uuid)

    def person_by_email(self, email: str) -> Person | None:
        """Return the first person with this e-mail address, whatever its case."""
        wanted = email.casefold()
        return next((one for one in self.people if one.email.casefold() == wanted), None)

    def rooms(self, person: Person, order: RoomOrder = "id") -> tuple[Room, ...]:
        """Return the rooms that a person is in: by id, or newest first."""
        key = (person.uuid, order)
        if key not in self._ordered:
            self._ordered[key] = _in_order(self._rooms_by_id(person.uuid).values(), order)
        return self._ordered[key]

    def public_rooms(self, person: Person) -> tuple[Room, ...]:
        """Return the public rooms of a person's organization, joined or not, newest first."""
        room_by_id = {
            room.id: room
            for other in self.people
            if other.organization_uuid == person.organization_uuid
            for room in self.rooms(other)
            if room.is_public
        }
        return _in_order(room_by_id.values(), "made_public")

    def room(self, person: Person, uuid: str) -> Room | None:
        """Return the room with this UUID if the person is in it."""
        return self._rooms_by_id(person.uuid).get(webex_id("ROOM", uuid))

    def _rooms_by_id(self, person_uuid: str) -> dict[str, Room]:
        if person_uuid not in self._room_by_id_by_person:
            source = self._source_by_person.get(person_uuid, tuple)
            self._room_by_id_by_person[person_uuid] = {room.id: room for room in source()}
        return self._room_by_id_by_person[person_uuid]

    def _forget_rooms(self, person_uuid: str) -> None:
        self._room_by_id_by_person.pop(person_uuid, None)
        self._ordered.clear()


def _in_order(rooms: Iterable[Room], order: RoomOrder) -> tuple[Room, ...]:
    if order == "id":
        return tuple(sorted(rooms, key=attrgetter("id")))
    instant = attrgetter("last_activity" if order == "lastactivity" else order)
    return tuple(sorted(rooms, key=lambda room: (instant(room) or "", room.id), reverse=True))
