"""The stub Webex: the answers an integration needs, as cheaply as one process can give them.

An account's code and tokens say how many rooms it has, how long each answer takes, and a serial
number that makes it another person.
"""

import asyncio
import re
import sys
import uuid
from base64 import b64encode
from functools import cache, lru_cache
from typing import cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import uvloop
from msgspec import Struct

ROW_MARKER = b"bench-space-"
"""Occurs once in the title of each room, followed by the room's five-digit number."""

PERSON_NAME = "Mira Ito"
ORGANISATION = "0f8c5d1e-2b7a-4e0c-9d53-7a1e4b6c8d90"
SCOPES = "spark:people_read spark:rooms_read spark:kms"
LARGEST_PAGE = 1000
HEAD_LIMIT = 65_536
NAMESPACE = uuid.UUID("8a4ef1c2-9f43-4b0e-a2b7-6f0c2f6f3a10")
TOPICS = ("Release train", "Müller & Söhne: roll-out", "Ops <on call>", "The 'quiet' room", "東京")
PERSON = b"""{"id":"%(id)s","emails":["mira.%(serial)d@acme.example"],"phoneNumbers":[],\
"displayName":"%(name)s","nickName":"Mira","firstName":"Mira","lastName":"Ito",\
"userName":"mira.%(serial)d@acme.example","orgId":"%(organisation)s",\
"created":"2025-02-11T08:30:12.114Z","lastModified":"2026-03-02T10:04:55.021Z",\
"timezone":"Europe/Berlin","lastActivity":"2026-03-02T10:03:40.512Z","status":"active",\
"type":"person"}"""
ROOM = b"""{"id":"%(id)s","title":"%(title)s","type":"%(type)s","isLocked":false,\
"lastActivity":"%(active)s","creatorId":"%(creator)s","created":"2025-06-20T07:11:09.220Z",\
"ownerId":"%(organisation)s","isPublic":false,"isReadOnly":false,"isAnnouncementOnly":false}"""
BEARER = re.compile(rb"\r\nauthorization: *bearer ([^\r ]+)", re.IGNORECASE)
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Account(Struct, frozen=True):
    """One person at the stub."""

    room_count: int
    latency_ms: int
    serial: int

    @property
    def code(self) -> str:
        """The authorization code that leads to the account."""
        return f"bench-{self.room_count}-{self.latency_ms}-{self.serial}"

    def token(self, *, is_renewed: bool = False) -> str:
        """Return the access token; it has three parts, as Webex's have."""
        return f"{self.code}_{'PF85' if is_renewed else 'PF84'}_{ORGANISATION}"


def read_account(text: bytes) -> Account:
    """Read the account from a code or a token; raise ValueError if it is neither."""
    _, room_count, latency_ms, serial = text.partition(b"_")[0].split(b"-")
    return Account(int(room_count), int(latency_ms), int(serial))


def webex_id(kind: str, key: str) -> bytes:
    """Return an id as Webex writes it: unpadded base64 of a ciscospark URL."""
    return b64encode(f"ciscospark://us/{kind}/{key}".encode()).rstrip(b"=")


def room_marker(number: int) -> bytes:
    """Return what only the title of this room contains."""
    return ROW_MARKER + b"%05d" % number


def token_answer(account: Account, *, is_renewed: bool = False) -> bytes:
    """Build the token endpoint's answer; the refresh token stays the same, as Webex's does."""
    return b"""{"access_token":"%(token)s","expires_in":1209599,"refresh_token":"%(refresh)s",\
"refresh_token_expires_in":7775999,"token_type":"Bearer","scope":"%(scopes)s"}""" % {
        b"token": account.token(is_renewed=is_renewed).encode(),
        b"refresh": account.token().encode(),
        b"scopes": SCOPES.encode(),
    }


def person_answer(account: Account) -> bytes:
    """Build the answer of /people/me: a different person for each serial number."""
    return PERSON % {
        b"id": webex_id("PEOPLE", str(uuid.uuid5(NAMESPACE, str(account.serial)))),
        b"serial": account.serial,
        b"name": PERSON_NAME.encode(),
        b"organisation": webex_id("ORGANIZATION", ORGANISATION),
    }


@cache
def encoded_room(number: int) -> bytes:
    """Build one room as the rooms list shows it; a higher number was active longer ago."""
    minutes = 28 * 24 * 60 - 1 - number
    day, minute = 1 + minutes // 1440, minutes % 1440
    return ROOM % {
        b"id": webex_id("ROOM", str(uuid.uuid5(NAMESPACE, f"room {number}"))),
        b"title": TOPICS[number % len(TOPICS)].encode() + b" " + room_marker(number),
        b"type": b"direct" if number % 5 == 0 else b"group",
        b"active": b"2026-02-%02dT%02d:%02d:09.220Z" % (day, minute // 60, minute % 60),
        b"creator": webex_id("PEOPLE", str(uuid.uuid5(NAMESPACE, f"creator {number % 40}"))),
        b"organisation": webex_id("ORGANIZATION", ORGANISATION),
    }


def answer(status: bytes, body: bytes, extra: bytes = b"") -> bytes:
    """Build one complete HTTP/1.1 answer."""
    return b"HTTP/1.1 %s\r\ncontent-type: application/json;charset=UTF-8\r\n%s%s" % (
        status,
        b"trackingid: ROUTER_68D0A1B2-1C3E-01BB-07A4-0A1B2C3D4E5F\r\n",
        b"%scontent-length: %d\r\n\r\n%s" % (extra, len(body), body),
    )


NOT_FOUND = answer(b"404 Not Found", b'{"message":"The requested resource could not be found."}')
BAD_TOKEN = answer(b"401 Unauthorized", b'{"message":"The request requires a valid token."}')
BAD_REQUEST = answer(b"400 Bad Request", b'{"message":"The request is malformed."}')


@lru_cache(maxsize=256)
def rooms_answer(origin: str, target: str, room_count: int) -> bytes:
    """Build one page of rooms with the Link to the next one, which keeps the query it was asked."""
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query))
    start = int(query.get("cursor", "0"))
    stop = min(start + min(int(query.get("max", "100")), LARGEST_PAGE), room_count)
    page = b'{"items":[' + b",".join(map(encoded_room, range(start, stop))) + b"]}"
    if stop >= room_count:
        return answer(b"200 OK", page)
    following = urlencode({**query, "cursor": stop})
    link = f'link: <{origin}{parts.path}?{following}>; rel="next"\r\n'
    return answer(b"200 OK", page, link.encode())


def token_endpoint_answer(body: bytes) -> bytes:
    """Answer a code exchange or a refresh."""
    form = parse_qs(body)
    credential = form.get(b"code") or form.get(b"refresh_token")
    if not credential or not form.get(b"client_secret"):
        return BAD_REQUEST
    account, is_renewed = read_account(credential[0]), b"code" not in form
    return answer(b"200 OK", token_answer(account, is_renewed=is_renewed))


class Stub(Struct):
    """What all connections share: where they are reached, and how many API answers were given."""

    origin: str = ""
    api_answers: int = 0

    def respond(self, head: bytes, body: bytes) -> tuple[bytes, int]:
        """Return the answer to a request, and how many milliseconds it takes."""
        method, target, _ = head.split(b" ", 2)
        if target == b"/count":
            return answer(b"200 OK", b"%d" % self.api_answers), 0
        self.api_answers += 1
        if method == b"POST" and target == b"/v1/access_token":
            return token_endpoint_answer(body), 0
        bearer = BEARER.search(head)
        if not bearer:
            return BAD_TOKEN, 0
        account = read_account(bearer[1])
        path = target.partition(b"?")[0]
        if path == b"/v1/rooms":
            content = rooms_answer(self.origin, target.decode(), account.room_count)
        elif path == b"/v1/people/me":
            content = answer(b"200 OK", person_answer(account))
        else:
            content = NOT_FOUND
        return content, account.latency_ms


class StubConnection(asyncio.Protocol):
    """One kept-alive connection. Its client does not pipeline, so an answer can simply be late."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found and len(self._received) > HEAD_LIMIT:
            self._transport.abort()
        length = LENGTH.search(head)
        if not found or (length and len(body) < int(length[1])):
            return
        self._received = b""
        try:
            content, latency_ms = self._stub.respond(head, body)
        except ValueError:
            content, latency_ms = BAD_REQUEST, 0
        if latency_ms:
            asyncio.get_running_loop().call_later(latency_ms / 1000, self._write, content)
        else:
            self._write(content)

    def _write(self, content: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(content)


async def serve() -> None:
    """Serve on a free loopback port, print the origin, and stop when standard input ends."""
    loop = asyncio.get_running_loop()
    stub = Stub()
    server = await loop.create_server(lambda: StubConnection(stub), "127.0.0.1", 0)
    stub.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(stub.origin, flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
