"""The world: people with accounts, the rooms (people say spaces) they are in, and their ids.

The emulator starts with a seeded one: the same people and rooms each time, up to the present.
"""

import base64
import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

RoomType = Literal["direct", "group"]
PersonType = Literal["person", "bot"]
RoomOrder = Literal["id", "lastactivity", "created"]
RoomSource = Callable[[], Iterable["Room"]]

_FORM = re.compile(r"ciscospark://[^/]+/(?P<kind>[A-Z_]+)/(?P<key>[0-9a-f:-]{36,73})")
_UUID_FORM = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUID = re.compile(_UUID_FORM)
_MEMBERSHIP = re.compile(f"{_UUID_FORM}:{_UUID_FORM}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def webex_id(kind: str, key: str) -> str:
    """Return the id of the *kind* (PEOPLE, ROOM, ...) that has this *key*."""
    uri = f"ciscospark://us/{kind}/{key}"
    return base64.b64encode(uri.encode()).decode().rstrip("=")


def read_webex_id(kind: str, text: str) -> str:
    """Return the UUID in an id of this *kind*, or a bare UUID; raise `ValueError` otherwise.

    A membership has two UUIDs: person and room.
    """
    try:
        uri = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except ValueError:
        uri = ""
    form = _FORM.fullmatch(uri)
    key = form["key"] if form and form["kind"] == kind else text
    if not (_MEMBERSHIP if kind == "MEMBERSHIP" else _UUID).fullmatch(key):
        raise ValueError("Expect base64 ID or UUID.")
    return key.lower()


def webex_instant(milliseconds: int) -> str:
    """Return in Webex's form an instant in milliseconds since 1970."""
    return webex_text(_EPOCH + timedelta(milliseconds=milliseconds))


def webex_text(instant: datetime) -> str:
    """Return an instant in Webex's form."""
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
    avatar_file: str = ""
    job_title: str = ""
    department: str = ""
    work_phone: str = ""
    can_sign_in: bool = True
    type: PersonType = "person"
    about: str = ""
    """What the emulator's sign-in page says about this person; never sent by the API."""

    @property
    def id(self) -> str:
        """The id in Webex's form."""
        return webex_id("PEOPLE", self.uuid)


class Room(msgspec.Struct, frozen=True, rename="camel"):
    """A room exactly as the API sends it; what is absent is left out."""

    id: str
    title: str
    type: RoomType
    last_activity: str
    creator_id: str
    created: str
    owner_id: str
    is_locked: bool = False
    is_public: bool = False
    is_read_only: bool = False
    is_announcement_only: bool = False
    team_id: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    made_public: str | UnsetType = UNSET
    errors: dict[str, dict[str, str]] | UnsetType = UNSET


class World:
    """People and rooms; a person's rooms are made when they are first asked for."""

    def __init__(self) -> None:
        self._person_by_uuid: dict[str, Person] = {}
        self._source_by_uuid: dict[str, RoomSource] = {}
        self._rooms_by_uuid: dict[str, dict[str, Room]] = {}
        self._changed: set[str] = set()

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
        self._source_by_uuid[person.uuid] = rooms
        self._rooms_by_uuid.pop(person.uuid, None)
        return person

    def person(self, uuid: str) -> Person | None:
        """Return the person with this UUID."""
        return self._person_by_uuid.get(uuid)

    def person_by_email(self, email: str) -> Person | None:
        """Return the first person with this e-mail address, whatever its case."""
        wanted = email.casefold()
        return next((one for one in self.people if one.email.casefold() == wanted), None)

    def rooms(self, person: Person, order: RoomOrder = "id") -> tuple[Room, ...]:
        """Return the rooms that a person is in: by id, or newest first."""
        return _in_order(self.rooms_by_id(person).values(), order)

    def room(self, person: Person, uuid: str) -> Room | None:
        """Return the room with this UUID if the person is in it."""
        return self.rooms_by_id(person).get(webex_id("ROOM", uuid))

    def put_room(self, person: Person, room: Room) -> None:
        """Show a person a new room, or one as it is now, until `forget_changes`."""
        self.rooms_by_id(person)[room.id] = room
        self._changed.add(person.uuid)

    def forget_changes(self) -> None:
        """Show everyone the rooms with which they were added."""
        for changed in self._changed:
            self._rooms_by_uuid.pop(changed, None)
        self._changed.clear()

    def rooms_by_id(self, person: Person) -> dict[str, Room]:
        """Return the rooms that a person is in, by their ids."""
        if person.uuid not in self._rooms_by_uuid:
            made = self._source_by_uuid.get(person.uuid, tuple)()
            self._rooms_by_uuid[person.uuid] = {room.id: room for room in made}
        return self._rooms_by_uuid[person.uuid]


def _in_order(rooms: Iterable[Room], order: RoomOrder) -> tuple[Room, ...]:
    if order == "id":
        return tuple(sorted(rooms, key=attrgetter("id")))
    instant = attrgetter("last_activity" if order == "lastactivity" else order)
    return tuple(sorted(rooms, key=lambda room: (instant(room) or "", room.id), reverse=True))


ORGANIZATION_UUID = "0f8c5d1e-2b7a-4e0c-9d53-7a1e4b6c8d90"
SEEDED_AT = 1_772_445_901
"""The newest instant of a seeded world, unless another is given: 2026-03-02T10:05:01Z."""

_DAY_MS = 86_400_000
_DIRECT_SHARE = 5  # one room in five is a conversation between two people
_TEAM_SHARE = 4
_TEAMS = 3
_NAMES = msgspec.json.decode((Path(__file__).parent / "names.json").read_bytes())
_SUBJECTS, _QUALIFIERS, COLLEAGUES, SENTENCES = (
    _NAMES[name] for name in ("subjects", "qualifiers", "colleagues", "sentences")
)
_TITLES = [f"{subject} {more}".rstrip() for more in _QUALIFIERS for subject in _SUBJECTS]
HOSTILE_EMAIL: str = _NAMES["hostile email"]
HOSTILE_DISPLAY_NAME: str = _NAMES["hostile display name"]
HOSTILE_TITLES: tuple[str, ...] = (
    *(title for titles in _NAMES["hostile titles"].values() for title in titles),
    "a" + "\u0301" * 200,
    "L" + "o" * 2_000 + "ng",
    "word " * 400,
)
"""Titles that break careless programs: markup, templates, control and bidirectional characters."""


def seeded_world(now: int = SEEDED_AT) -> World:
    """Return five people who can sign in, the colleagues they talk to, and a bot in some rooms.

    All were busy until *now*.
    """
    world, bot = World(), _NAMES["bot"]
    for person, rooms in _accounts(now):
        world.add_person(person, rooms)
        if person.email == bot["in all rooms of"]:
            one = _person(now, **bot["person"], type="bot", can_sign_in=False)
            world.add_person(one, rooms)
    for number in range(len(COLLEAGUES) ** 2):
        email, names = f"colleague{number + 1}@acme.example", _colleague_names(number)
        world.add_person(_person(now, email, *names, can_sign_in=False))
    return world


def seeded_rooms(person: Person, count: int, now: int = SEEDED_AT) -> Iterator[Room]:
    """Yield *count* rooms of a person, with the believable titles of a working life."""
    for number in range(count):
        yield _room(now, person, number, _title(number), _type(number))


def titled_rooms(person: Person, titles: Iterable[str], now: int = SEEDED_AT) -> Iterator[Room]:
    """Yield one group room for each title."""
    for number, title in enumerate(titles):
        yield _room(now, person, number, title, "group")


def _accounts(now: int) -> Iterator[tuple[Person, RoomSource]]:
    for one in _NAMES["people"]:
        person = _person(now, **one["person"])
        yield person, partial(seeded_rooms, person, one["rooms"], now)
    about = f"{len(HOSTILE_TITLES)} spaces with hostile names"
    hostile = _person(now, HOSTILE_EMAIL, "<b>First</b>", "{{ 7*7 }}", about=about)
    hostile = replace(hostile, display_name=HOSTILE_DISPLAY_NAME)
    yield hostile, partial(titled_rooms, hostile, HOSTILE_TITLES, now)


def _person(now: int, email: str, first_name: str, last_name: str, **more: Any) -> Person:
    digest = _digest("person", email)
    now_ms = now * 1_000
    return Person(
        uuid=str(uuid.UUID(bytes=digest[:16], version=4)),
        email=email,
        display_name=f"{first_name} {last_name}",
        first_name=first_name,
        last_name=last_name,
        organization_uuid=ORGANIZATION_UUID,
        created_ms=now_ms - (400 + digest[16]) * _DAY_MS,
        last_modified_ms=now_ms - digest[17] * _DAY_MS,
        last_activity_ms=now_ms - digest[18] * 1_000,
        **more,
    )


def _type(number: int) -> RoomType:
    return "direct" if number % _DIRECT_SHARE == _DIRECT_SHARE - 1 else "group"


def _title(number: int) -> str:
    if _type(number) == "direct":
        return " ".join(_colleague_names(number // _DIRECT_SHARE))
    return _group_title(number - number // _DIRECT_SHARE)


def _room(now: int, person: Person, number: int, title: str, room_type: RoomType) -> Room:
    digest = _digest(person.uuid, str(number))
    now_ms = now * 1_000
    created_ms = now_ms - (420 + digest[16]) * _DAY_MS + number
    # Cubed, so that most rooms were busy lately and some have been quiet for a year.
    quiet_share = (int.from_bytes(digest[17:20], "big") / 0xFFFFFF) ** 3
    last_activity_ms = now_ms - int(quiet_share * 400 * _DAY_MS) - number
    is_group = room_type == "group"
    is_public = is_group and digest[20] % 16 == 0
    return Room(
        id=webex_id("ROOM", str(uuid.UUID(bytes=digest[:16], version=1 if is_group else 3))),
        title=title,
        type=room_type,
        is_locked=is_group and digest[21] % 8 == 0,
        last_activity=webex_instant(last_activity_ms),
        creator_id=person.id,
        created=webex_instant(created_ms),
        owner_id=webex_id("ORGANIZATION", ORGANIZATION_UUID),
        is_public=is_public,
        team_id=_team_id(person, digest, room_type),
        description=f"Everyone may join: {title}"[:255] if is_public else UNSET,
        made_public=webex_instant(created_ms + _DAY_MS) if is_public else UNSET,
    )


def _team_id(person: Person, digest: bytes, room_type: RoomType) -> str | UnsetType:
    if room_type == "direct" or digest[22] % _TEAM_SHARE:
        return UNSET
    team = _digest(person.uuid, "team", str(digest[23] % _TEAMS))
    return webex_id("TEAM", str(uuid.UUID(bytes=team[:16], version=1)))


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()


def _group_title(number: int) -> str:
    """Return a title; those of numbers from 1,200 on carry a figure, so that all are distinct."""
    turn, position = divmod(number, len(_TITLES))
    return f"{_TITLES[position]} #{turn + 1}" if turn else _TITLES[position]


def _colleague_names(number: int) -> tuple[str, str]:
    """Return the first and last name of a colleague."""
    first, _ = COLLEAGUES[number % len(COLLEAGUES)]
    _, last = COLLEAGUES[(number // len(COLLEAGUES) + number) % len(COLLEAGUES)]
    return first, last
