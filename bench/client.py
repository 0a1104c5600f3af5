"""The load generator's side of HTTP: one kept-alive connection, and a browser that signs in."""

import asyncio
import re
from time import perf_counter
from typing import cast
from urllib.parse import parse_qs, urlencode, urlsplit

import httptools
from msgspec import Struct

from bench.upstream import PERSON_NAME, ROW_MARKER, Account, room_marker

STATE_IN_PAGE = re.compile(rb"/v1/authorize\?[^\"']*?\bstate=([A-Za-z0-9._~-]+)")
REDIRECTS = (302, 303, 307)
MOST_REDIRECTS = 5


class UnexpectedAnswerError(Exception):
    """The server under test did not answer what a person would need to see."""


class Answer(Struct, frozen=True):
    """One answer, and how many seconds after its request it came."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    first_marker_seconds: float | None
    whole_seconds: float


class Connection(asyncio.Protocol):
    """One answer at a time; `marker` is timed when it first occurs in a body."""

    def __init__(self, marker: bytes | None = None) -> None:
        self._marker = marker
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._start_answer()

    def _start_answer(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._first_marker_seconds: float | None = None
        self._asked_at = perf_counter()

    @property
    def is_open(self) -> bool:
        """Whether another request may be written."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> Answer:
        """Write a request and return its answer; raise ConnectionError if the peer hangs up."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError("the connection is closed")
        self._start_answer()
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"not an HTTP answer: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(ConnectionError(f"the server hung up: {exc}"))

    def _fail(self, error: ConnectionError) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(error)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header (called by the parser)."""
        self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        """Collect a piece of the body (called by the parser)."""
        self._chunks.append(body)
        is_awaited = self._marker is not None and self._first_marker_seconds is None
        if is_awaited and cast("bytes", self._marker) in b"".join(self._chunks):
            self._first_marker_seconds = perf_counter() - self._asked_at

    def on_message_complete(self) -> None:
        """Hand the answer over (called by the parser)."""
        if not self._parser.should_keep_alive():
            self.close()
        if self._waiting is None or self._waiting.done():
            return
        self._waiting.set_result(
            Answer(
                status=self._parser.get_status_code(),
                headers=self._headers,
                body=b"".join(self._chunks),
                first_marker_seconds=self._first_marker_seconds,
                whole_seconds=perf_counter() - self._asked_at,
            )
        )


async def connect(port: int, marker: bytes | None = None) -> Connection:
    """Open a connection to a server on this machine."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Connection(marker), "127.0.0.1", port)
    return connection


class Browser:
    """A browser as far as a sign-in needs one: a connection, and a jar of cookies."""

    def __init__(self, port: int, marker: bytes | None = None) -> None:
        self._port = port
        self._marker = marker
        self._cookies: dict[bytes, bytes] = {}
        self._connection: Connection | None = None

    def forget(self) -> None:
        """Drop all cookies, as a new person at the same connection would."""
        self._cookies.clear()

    def close(self) -> None:
        """Hang up."""
        if self._connection:
            self._connection.close()

    def request(self, target: str) -> bytes:
        """Build the request of a page with the cookies as they are now."""
        cookies = b"; ".join(b"=".join(pair) for pair in self._cookies.items())
        return b"GET %s HTTP/1.1\r\nhost: localhost:%d\r\naccept: text/html\r\n%s\r\n" % (
            target.encode(),
            self._port,
            b"cookie: %s\r\n" % cookies if cookies else b"",
        )

    async def ask(self, request: bytes) -> Answer:
        """Send a request that was built before, on a new connection if the last one was closed."""
        if self._connection is None or not self._connection.is_open:
            self._connection = await connect(self._port, self._marker)
        return await self._connection.ask(request)

    async def visit(self, target: str) -> Answer:
        """Ask for a page and keep its cookies; follow its redirects on the same server."""
        for _ in range(MOST_REDIRECTS):
            answer = await self.ask(self.request(target))
            for name, value in answer.headers:
                if name == b"set-cookie":
                    self._keep_cookie(value)
            if answer.status not in REDIRECTS or not is_path(target := location_of(answer)):
                return answer
        raise UnexpectedAnswerError(f"too many redirects, the last one to {target}")

    def _keep_cookie(self, header: bytes) -> None:
        pair, _, attributes = header.partition(b";")
        name, _, value = pair.strip().partition(b"=")
        if not value or b"max-age=0" in attributes.lower():
            self._cookies.pop(name, None)
        else:
            self._cookies[name] = value

    async def sign_in(self, start: str, account: Account) -> None:
        """Walk the whole sign-in: start, Webex's answer, callback, and the page with the name."""
        state = read_state(await self.visit(start))
        answer = await self.visit(f"/oauth?{urlencode({'code': account.code, 'state': state})}")
        if answer.status != 200 or PERSON_NAME.encode() not in answer.body:
            raise UnexpectedAnswerError(f"no sign-in: {answer.status} {answer.body[:300]!r}")


def location_of(answer: Answer) -> str:
    """Return where a redirect leads."""
    for name, value in answer.headers:
        if name == b"location":
            return value.decode()
    raise UnexpectedAnswerError(f"a redirect without a location: {answer.status}")


def is_path(location: str) -> bool:
    """Return whether a location is a path, and so leads to the same server."""
    return location.startswith("/") and not location.startswith("//")


def read_state(answer: Answer) -> str:
    """Return the state of the redirect to Webex, or of the link that leads there."""
    if answer.status in REDIRECTS:
        states = parse_qs(urlsplit(location_of(answer)).query).get("state", [])
        if len(states) == 1:
            return states[0]
    link = STATE_IN_PAGE.search(answer.body)
    if answer.status == 200 and link:
        return link[1].decode()
    raise UnexpectedAnswerError(f"no sign-in began: {answer.status} {answer.body[:300]!r}")


def check_rooms(answer: Answer, room_count: int) -> None:
    """Refuse an answer that does not show all rooms, each as often as any other."""
    shown = answer.body.count(ROW_MARKER)
    is_whole = shown >= room_count and shown % room_count == 0
    if answer.status != 200 or not is_whole or room_marker(room_count - 1) not in answer.body:
        raise UnexpectedAnswerError(
            f"{answer.status} with {shown} of {room_count} rooms: {answer.body[:300]!r}"
        )
