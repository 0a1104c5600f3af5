"""One kept-alive HTTP/1.1 connection of the load generator."""

import asyncio
from dataclasses import dataclass
from time import perf_counter
from typing import cast

import httptools


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came, and when: seconds since its request was written."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    first_marker_seconds: float | None
    whole_seconds: float


class Connection(asyncio.Protocol):
    """Ask and read one answer at a time; `marker` is timed when it first shows in a body."""

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
        """Tell whether another request may be written."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> Answer:
        """Write a request and return its answer; ConnectionError when the peer hangs up first."""
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
        """Keep the transport to write on."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; an answer that is not HTTP fails its request."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"not an http answer: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request that was under way."""
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
        if self._marker is None or self._first_marker_seconds is not None:
            return
        if self._marker in b"".join(self._chunks):
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
