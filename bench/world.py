"""The made-up Webex of the bench: accounts told apart by their token, and their rooms."""

import uuid
from base64 import b64encode
from dataclasses import dataclass
from functools import cache

import msgspec

ROW_MARKER = b"bench-space-"
"""Stands once in the title of each room, followed by the room's five-digit number."""

PERSON_NAME = "Mira Ito"
ORGANISATION = "0f8c5d1e-2b7a-4e0c-9d53-7a1e4b6c8d90"
SCOPES = "spark:people_read spark:rooms_read spark:kms"

_NAMESPACE = uuid.UUID("8a4ef1c2-9f43-4b0e-a2b7-6f0c2f6f3a10")
_TOPICS = (
    "Release train",
    "Müller & Söhne: roll-out",
    "Ops <on call>",
    "Design reviews",
    "Project Ångström",
    "Lunch",
    'The "quiet" room',
    "Field notes 東京",
)


@dataclass(frozen=True, slots=True)
class Account:
    """One person at the stub: how many rooms they see, and how long each answer takes."""

    room_count: int
    latency_ms: int
    serial: int

    @property
    def code(self) -> str:
        """Spell the account as the authorization code that leads to it."""
        return f"bench-{self.room_count}-{self.latency_ms}-{self.serial}"


def read_account(text: bytes) -> Account:
    """Read the account out of a code or a token; ValueError when it is neither."""
    _, room_count, latency_ms, serial = text.partition(b"_")[0].split(b"-")
    return Account(int(room_count), int(latency_ms), int(serial))


def webex_id(kind: str, key: str) -> str:
    """Spell an id as Webex does: unpadded base64 of a ciscospark URL."""
    return b64encode(f"ciscospark://us/{kind}/{key}".encode()).decode().rstrip("=")


def room_marker(number: int) -> bytes:
    """Return what only the title of this room contains."""
    return ROW_MARKER + b"%05d" % number


def token_answer(account: Account) -> bytes:
    """Build the token endpoint's answer; tokens have three parts, as Webex's have."""
    token = f"{account.code}_PF84_{ORGANISATION}"
    return msgspec.json.encode(
        {
            "access_token": token,
            "expires_in": 1209599,
            "refresh_token": token,
            "refresh_token_expires_in": 7775999,
            "token_type": "Bearer",
            "scope": SCOPES,
        }
    )


def person_answer(account: Account) -> bytes:
    """Build the answer of /people/me: a different person for each serial number."""
    key = uuid.uuid5(_NAMESPACE, str(account.serial))
    return msgspec.json.encode(
        {
            "id": webex_id("PEOPLE", str(key)),
            "emails": [f"mira.{account.serial}@acme.example"],
            "phoneNumbers": [],
            "displayName": PERSON_NAME,
            "nickName": "Mira",
            "firstName": "Mira",
            "lastName": "Ito",
            "userName": f"mira.{account.serial}@acme.example",
            "orgId": webex_id("ORGANIZATION", ORGANISATION),
            "created": "2025-02-11T08:30:12.114Z",
            "lastModified": "2026-03-02T10:04:55.021Z",
            "timezone": "Europe/Berlin",
            "lastActivity": "2026-03-02T10:03:40.512Z",
            "status": "active",
            "type": "person",
        }
    )


@cache
def encoded_room(number: int) -> bytes:
    """Build one room as the rooms list shows it; a higher number was active longer ago."""
    minutes = 28 * 24 * 60 - 1 - number
    day, minute_of_day = 1 + minutes // 1440, minutes % 1440
    instant = f"2026-02-{day:02}T{minute_of_day // 60:02}:{minute_of_day % 60:02}:09.220Z"
    topic = _TOPICS[number % len(_TOPICS)]
    return msgspec.json.encode(
        {
            "id": webex_id("ROOM", str(uuid.uuid5(_NAMESPACE, f"room {number}"))),
            "title": f"{topic} {room_marker(number).decode()}",
            "type": "direct" if number % 5 == 0 else "group",
            "isLocked": False,
            "lastActivity": instant,
            "creatorId": webex_id("PEOPLE", str(uuid.uuid5(_NAMESPACE, f"creator {number % 40}"))),
            "created": "2025-06-20T07:11:09.220Z",
            "ownerId": webex_id("ORGANIZATION", ORGANISATION),
            "isPublic": False,
            "isReadOnly": False,
            "isAnnouncementOnly": False,
        }
    )


def room_page(start: int, stop: int) -> bytes:
    """Build one page of the rooms list."""
    return b'{"items":[' + b",".join(map(encoded_room, range(start, stop))) + b"]}"
