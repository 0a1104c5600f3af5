"""Conversations: who is in which room, and the messages that they wrote."""

import hashlib
import html
import re
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from webex_oauth.emulator.conditions import BoundedDict, Conditions
from webex_oauth.emulator.world import (
    SENTENCES,
    Person,
    Room,
    RoomType,
    World,
    webex_id,
    webex_instant,
    webex_text,
)

_CAPACITY = 20_000
_MENTION = re.compile(r"<@person(?P<kind>Id|Email):(?P<who>[^|>]+)(?:\|(?P<shown>[^>]*))?>")
_FORMATTING = re.compile(r"[*_`]+")


class Message(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A message as the API sends it; what is absent is left out."""

    id: str
    room_id: str
    room_type: RoomType
    person_id: str
    person_email: str
    created: str
    parent_id: str = ""
    text: str = ""
    markdown: str = ""
    html: str = ""
    mentioned_people: tuple[str, ...] = ()


class Conversations:
    """The members and messages of all rooms; those of the seeded world are made when asked for."""

    def __init__(self, conditions: Conditions, world: World) -> None:
        self._conditions = conditions
        self._world = world
        self._message_by_id: BoundedDict[str, Message] = BoundedDict(_CAPACITY)
        self._begun: set[str] = set()

    def members(self, room: Room) -> tuple[Person, ...]:
        """Return who is in a room: the creator first, then in the order of the world."""
        people = [one for one in self._world.people if room.id in self._world.rooms_by_id(one)]
        people.sort(key=lambda one: one.id != room.creator_id)
        return tuple(dict.fromkeys([*people, *self._companions(room)]))

    def messages(self, room: Room) -> list[Message]:
        """Return the messages of a room, newest first."""
        self._begin(room)
        return [one for one in reversed(self._message_by_id.values()) if one.room_id == room.id]

    def message(self, key: str) -> Message | None:
        """Return the message with this UUID, once its room was listed."""
        return self._message_by_id.get(webex_id("MESSAGE", key))

    def post(
        self, author: Person, room: Room, *, text: str, markdown: str = "", parent_id: str = ""
    ) -> Message:
        """Write a message; markdown takes precedence over text."""
        self._begin(room)
        mentions = _MENTION.finditer(markdown)
        shown = _MENTION.sub(lambda found: found["shown"] or found["who"], markdown)
        text = _FORMATTING.sub("", shown) if markdown else text
        message = self._write(
            author,
            room,
            self._conditions.randomness.uuid(),
            webex_instant(self._conditions.clock.now() * 1_000),
            parent_id=parent_id,
            text=text,
            markdown=markdown,
            html=f"<p>{html.escape(text)}</p>" if markdown else "",
            mentioned_people=tuple(self._mentioned(mentions)),
        )
        self._show_activity(room, message.created)
        return message

    def delete(self, message: Message) -> None:
        """Forget a message."""
        self._message_by_id.pop(message.id, None)

    def direct_room(self, person: Person, other: Person) -> Room | None:
        """Return the room of two people if there is one."""
        for room in self._world.rooms(person):
            is_named = room.type == "direct" and room.title == other.display_name
            if is_named and other in self.members(room):
                return room
        return None

    def open_direct_room(self, person: Person, other: Person) -> Room:
        """Open a room for two people."""
        key = str(uuid.uuid3(uuid.NAMESPACE_OID, " ".join(sorted((person.uuid, other.uuid)))))
        now = webex_instant(self._conditions.clock.now() * 1_000)
        room = Room(
            id=webex_id("ROOM", key),
            title=other.display_name,
            type="direct",
            last_activity=now,
            creator_id=person.id,
            created=now,
            owner_id=webex_id("ORGANIZATION", person.organization_uuid),
        )
        self._begun.add(room.id)
        self._world.put_room(person, room)
        self._world.put_room(other, msgspec.structs.replace(room, title=person.display_name))
        return room

    def _companions(self, room: Room) -> list[Person]:
        people = [one for one in self._world.people if not one.can_sign_in]
        colleagues = [one for one in people if one.type == "person"]
        if room.type == "direct":
            return [one for one in colleagues if one.display_name == room.title][:1]
        digest = _digest(room)
        numbers = digest[: 1 + digest[31] % 4] if colleagues else b""
        return [colleagues[one % len(colleagues)] for one in numbers]

    def _begin(self, room: Room) -> None:
        """Let the members of a seeded room have talked until its last activity."""
        if room.id in self._begun:
            return
        self._begun.add(room.id)
        digest, members = _digest(room), self.members(room)
        newest = datetime.fromisoformat(room.last_activity)
        for number in reversed(range(2 + digest[0] % 4)):
            author = members[digest[number] % len(members)]
            written_at = newest - timedelta(minutes=7 * number)
            created = webex_text(written_at)
            key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{room.id} {number}"))
            text = SENTENCES[digest[8 + number] % len(SENTENCES)]
            self._write(author, room, key, created, text=text)

    def _write(self, author: Person, room: Room, key: str, created: str, **content: Any) -> Message:
        message = Message(
            id=webex_id("MESSAGE", key),
            room_id=room.id,
            room_type=room.type,
            person_id=author.id,
            person_email=author.email,
            created=created,
            **content,
        )
        self._message_by_id[message.id] = message
        return message

    def _show_activity(self, room: Room, instant: str) -> None:
        members = self.members(room)
        for one in members:
            others = [other.display_name for other in members if other != one]
            title = others[0] if room.type == "direct" and others else room.title
            seen = msgspec.structs.replace(room, title=title, last_activity=instant)
            self._world.put_room(one, seen)

    def _mentioned(self, mentions: Iterable[re.Match[str]]) -> Iterable[str]:
        for found in mentions:
            if found["kind"] == "Id":
                yield found["who"]
            elif person := self._world.person_by_email(found["who"]):
                yield person.id


def _digest(room: Room) -> bytes:
    return hashlib.sha256(room.id.encode()).digest()
