"""The world the emulator starts with: the same people and rooms each time, up to the present."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from webex_oauth.emulator.world import (
    Person,
    Room,
    RoomSource,
    RoomType,
    World,
    webex_id,
    webex_instant,
)

ORGANIZATION_UUID = "0f8c5d1e-2b7a-4e0c-9d53-7a1e4b6c8d90"
SEEDED_AT = 1_772_445_901
"""The newest instant of a seeded world, unless another is given: 2026-03-02T10:05:01Z."""

_DAY_MS = 86_400_000
_DIRECT_SHARE = 5  # one room in five is a conversation between two people
_TEAM_SHARE = 4
_TEAMS = 3
_NAMES = msgspec.json.decode((Path(__file__).parent / "names.json").read_bytes())
_SUBJECTS, _QUALIFIERS, COLLEAGUES = (
    _NAMES[name] for name in ("subjects", "qualifiers", "colleagues")
)
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
    """Return five people who can sign in, and the colleagues they talk to; all busy until *now*."""
    world = World()
    for person, rooms in _accounts(now):
        world.add_person(person, rooms)
    for number, (first_name, last_name) in enumerate(COLLEAGUES):
        email = f"colleague{number + 1}@acme.example"
        colleague = _person(now, first_name, last_name, email, "")
        world.add_person(replace(colleague, can_sign_in=False))
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
    mira = replace(
        _person(now, "Mira", "Ito", "mira@acme.example", "250 spaces", has_avatar=True),
        job_title="Product manager",
        department="Platform",
        work_phone="+49 30 5550 0142",
    )
    yield mira, lambda: seeded_rooms(mira, 250, now)
    jonas = _person(now, "Jonas", "Weber", "jonas@acme.example", "5,000 spaces")
    yield jonas, lambda: seeded_rooms(jonas, 5_000, now)
    luca = _person(now, "Luca", "Moretti", "luca@acme.example", "3 spaces", has_avatar=True)
    yield luca, lambda: seeded_rooms(luca, 3, now)
    yield _person(now, "Amara", "Okafor", "amara@acme.example", "no spaces, no picture"), tuple
    about = f"{len(HOSTILE_TITLES)} spaces with hostile names"
    hostile = replace(
        _person(now, "<b>First</b>", "{{ 7*7 }}", HOSTILE_EMAIL, about),
        display_name=HOSTILE_DISPLAY_NAME,
    )
    yield hostile, lambda: titled_rooms(hostile, HOSTILE_TITLES, now)


def _person(
    now: int, first_name: str, last_name: str, email: str, about: str, *, has_avatar: bool = False
) -> Person:
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
        has_avatar=has_avatar,
        about=about,
    )


def _type(number: int) -> RoomType:
    return "direct" if number % _DIRECT_SHARE == _DIRECT_SHARE - 1 else "group"


def _title(number: int) -> str:
    if _type(number) == "direct":
        return _colleague_name(number // _DIRECT_SHARE)
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
        is_read_only=False,
        is_announcement_only=False,
        team_id=_team_id(person, digest, room_type),
        description=f"Everyone may join: {title}"[:255] if is_public else None,
        made_public=webex_instant(created_ms + _DAY_MS) if is_public else None,
    )


def _team_id(person: Person, digest: bytes, room_type: RoomType) -> str | None:
    if room_type == "direct" or digest[22] % _TEAM_SHARE:
        return None
    team = _digest(person.uuid, "team", str(digest[23] % _TEAMS))
    return webex_id("TEAM", str(uuid.UUID(bytes=team[:16], version=1)))


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()


def _group_title(number: int) -> str:
    """Return a title; those of numbers from 1,200 on carry a figure, so that all are distinct."""
    qualifier_number, subject_number = divmod(number, len(_SUBJECTS))
    turn, qualifier_number = divmod(qualifier_number, len(_QUALIFIERS))
    words = [_SUBJECTS[subject_number], _QUALIFIERS[qualifier_number]]
    title = " ".join(word for word in words if word)
    return f"{title} #{turn + 1}" if turn else title


def _colleague_name(number: int) -> str:
    """Return a colleague's name, for a conversation between two people."""
    first, _ = COLLEAGUES[number % len(COLLEAGUES)]
    _, last = COLLEAGUES[(number // len(COLLEAGUES) + number) % len(COLLEAGUES)]
    return f"{first} {last}"
