"""One connection: requests as bytes (RFC 9112), answers read as they arrive, within bounds."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import cast
from urllib.parse import urlsplit

import httptools
from msgspec import Struct

from webex_oauth.errors import (
    AnswerLost,
    DeadlineExceeded,
    InvalidResponse,
    RequestNotSent,
    ResponseTooLarge,
    UpstreamError,
)
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.ports import StreamedResponse, host_and_port
from webex_oauth.webex.platform import DEFAULT_PORTS

STANDING_HEADERS = "user-agent: webex-oauth\r\naccept-encoding: identity\r\n"
URL = re.compile(r"(https?)://([A-Za-z0-9.:\[\]-]+)(/[!-\"$-~]*)")
METHOD = re.compile(r"[A-Z]+")
HEADER_NAME = re.compile(r"[a-z0-9-]+")
HEADER_VALUE = re.compile(r"[\t !-~]*")
MAX_HEAD_BYTES = 64 * 1024
MAX_HEAD_FIELDS = 200
FINAL_STATUS = 200
NO_CONTENT = frozenset({204, 304})
HELD_BYTES = 256 * 1024
"""How much of a streamed body waits for its reader before the connection is paused."""


class Peer(Struct, frozen=True):
    """Where a request goes; `str()` is host:port."""

    host: str
    port: int
    is_tls: bool

    def __str__(self) -> str:
        return host_and_port(self.host, self.port)


def write_request(request: HttpRequest) -> tuple[Peer, bytes]:
    """Return where *request* goes and its bytes, no part of which can break out of its place.

    Raises RequestNotSent for what HTTP cannot carry.
    """
    peer, start = _peer_and_start(request.method, request.url)
    lines = [start]
    for name, value in request.headers.items():
        if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
            raise RequestNotSent("the request has a header that cannot be sent")
        lines.append(f"{name}: {value}\r\n")
    if "content-length" not in request.headers and (request.body or request.method == "POST"):
        lines.append(f"content-length: {len(request.body)}\r\n")
    lines.append("\r\n")
    return peer, "".join(lines).encode("ascii") + request.body


@lru_cache(maxsize=64)
def _peer_and_start(method: str, url: str) -> tuple[Peer, str]:
    parts = URL.fullmatch(url)
    if parts is None or not METHOD.fullmatch(method):
        raise RequestNotSent("the request has a URL or a method that cannot be sent")
    scheme, authority, target = parts.groups()
    start = f"{method} {target} HTTP/1.1\r\nhost: {authority}\r\n{STANDING_HEADERS}"
    return _peer(scheme, authority), start


def _peer(scheme: str, authority: str) -> Peer:
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        port = parts.port
    except ValueError:
        raise RequestNotSent("the request has a host that cannot be reached") from None
    if not parts.hostname:
        raise RequestNotSent("the request has no host")
    return Peer(parts.hostname, port or DEFAULT_PORTS[scheme], scheme == "https")


class ArrivingBody:
    """The body of an answer, piece by piece, which its connection may have to hold.

    An asyncio.Queue would cost every request half as much again.
    """

    def __init__(self, connection: "HttpConnection") -> None:
        self._connection = connection
        self._arrived = deque[bytes | UpstreamError | None]()
        self._has_more = asyncio.Event()
        self._held_bytes = 0

    def put(self, piece: bytes) -> None:
        """Add a piece."""
        self._arrived.append(piece)
        self._has_more.set()
        self._held_bytes += len(piece)
        if self._held_bytes > HELD_BYTES:
            self._connection.pause()

    def end(self, error: UpstreamError | None = None) -> None:
        """Mark the end, which is one too early with *error*."""
        self._arrived.append(error)
        self._has_more.set()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the pieces; raise the UpstreamError that ended them too early."""
        while await self._has_more.wait():
            while self._arrived:
                piece = self._arrived.popleft()
                if not isinstance(piece, bytes):
                    if piece is not None:
                        raise piece
                    return
                self._held_bytes -= len(piece)
                if self._held_bytes <= HELD_BYTES:
                    self._connection.resume()
                yield piece
            self._has_more.clear()


class HttpConnection(asyncio.Protocol):
    """A connection to *place* (host:port): one exchange after the other, while `is_reusable`.

    `had_ended` is set on a lost answer if the server may have closed the kept connection before it
    saw the request. What has no docstring is called by the event loop or by the parser.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self.is_reusable = True
        self.had_ended = False
        self.idle_since = 0.0
        self._is_first = True
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[StreamedResponse] | None = None
        self._is_writable = asyncio.Event()
        self._is_writable.set()
        self._begin(max_body_bytes=0)

    def ask(self, message: bytes, max_body_bytes: int) -> "asyncio.Future[StreamedResponse]":
        """Send *message*; the future brings the head of the answer or an UpstreamError.

        A caller that stops waiting, for the head or for the body, must `leave`.
        """
        answer = asyncio.get_running_loop().create_future()
        if self._transport is None or not self.is_reusable:
            answer.set_exception(RequestNotSent(f"the connection to {self._place} had ended"))
            return answer
        self._begin(max_body_bytes)
        self._has_no_body = message.startswith(b"HEAD ")
        self._answer = answer
        self._transport.write(message)
        return answer

    async def write(self, piece: bytes) -> None:
        """Send more of the request when the peer has room; drop it once the peer has left."""
        await self._is_writable.wait()
        if self._transport is not None:
            self._transport.write(piece)

    def give_up(self, deadline_seconds: float) -> None:
        """Close the connection and fail the request with DeadlineExceeded."""
        self._fail(
            DeadlineExceeded(
                f"no whole answer from {self._place} within {deadline_seconds:g} s: {self._so_far}"
            )
        )

    def leave(self) -> None:
        """Close the connection unless its answer came whole."""
        if self._answer is not None:
            self.abort()

    def abort(self) -> None:
        """Close the connection and leave the request unanswered."""
        self.is_reusable = False
        self._answer = None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def pause(self) -> None:
        """Read no more, until `resume`."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again; do nothing if it is not paused."""
        if self._transport is not None:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self._is_writable.clear()

    def resume_writing(self) -> None:
        self._is_writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_reusable = False
        self._transport = None
        self._is_writable.set()
        if self._answer is None:
            return
        if self._is_head_whole and self._ends_with_connection and exc is None:
            self._complete()
            return
        self.had_ended = self._received_bytes == 0 and not self._is_first
        reason = "closed" if exc is None else str(exc)
        self._fail(AnswerLost(f"{self._place} broke off the connection ({reason}): {self._so_far}"))

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.abort()
            return
        self._received_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(InvalidResponse(f"the answer of {self._place} is not HTTP"))
            return
        if self._received_bytes > MAX_HEAD_BYTES + 2 * self._body_bytes:
            self._fail(ResponseTooLarge("the answer has more around its body than a body"))

    def on_message_begin(self) -> None:
        if self._answer is None:
            # Bytes after a whole answer belong to no request, and must not change that answer.
            self.abort()
            self._begin(max_body_bytes=0)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_head_whole:
            return  # trailers are not asked for (RFC 9110 section 6.5)
        self._field_count += 1
        if self._field_count > MAX_HEAD_FIELDS:
            # Joining the values of one name takes quadratic time.
            self._fail(ResponseTooLarge(f"the answer has more than {MAX_HEAD_FIELDS} fields"))
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key in self._headers:
            text = f"{self._headers[key]}, {text}"
        self._headers[key] = text

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        if self._status < FINAL_STATUS:
            return
        self._is_head_whole = True
        self._is_kept = self._parser.should_keep_alive()
        self._ends_with_connection = (
            self._status not in NO_CONTENT
            and "content-length" not in self._headers
            and "transfer-encoding" not in self._headers
        )
        if self._answer is not None and not self._answer.done():
            pieces = self._body.pieces()
            self._answer.set_result(StreamedResponse(self._status, self._headers, pieces))
        if self._has_no_body:
            # The parser waits for the body that the head describes (RFC 9110 section 9.3.2).
            self._is_kept = False
            self._complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._max_body_bytes:
            self._fail(ResponseTooLarge(f"the answer exceeds {self._max_body_bytes} bytes"))
        else:
            self._body.put(body)

    def on_message_complete(self) -> None:
        if self._is_head_whole:
            self._complete()
        else:
            # An interim answer (RFC 9110 section 15.2); the final one follows.
            self._headers.clear()

    @property
    def _so_far(self) -> str:
        if not self._received_bytes:
            return "nothing of the answer came"
        return f"only {self._received_bytes} bytes of the answer came"

    def _begin(self, max_body_bytes: int) -> None:
        self._body = ArrivingBody(self)
        self._max_body_bytes = max_body_bytes
        self._received_bytes = 0
        self._body_bytes = 0
        self._headers: dict[str, str] = {}
        self._field_count = 0
        self._status = 0
        self._is_head_whole = False
        self._is_kept = False
        self._has_no_body = False
        self._ends_with_connection = False

    def _complete(self) -> None:
        self._answer = None
        self._is_first = False
        self._body.end()
        self.resume()
        if not self._is_kept:
            self.abort()

    def _fail(self, error: UpstreamError) -> None:
        answer = self._answer
        self.abort()
        if answer is not None and not answer.done():
            answer.set_exception(error)
        else:
            self._body.end(error)
