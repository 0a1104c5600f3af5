"""One connection to the server: uvicorn's HTTP protocol, with bounds on what its peer may take.

uvicorn parses everything that has arrived, waits for a head for any time, and loses the body of a
request that offers another protocol. Each method here is there for one of these, or for shutdown.
"""

import asyncio
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from webex_oauth.flows.cookies import BLANK
from webex_oauth.flows.refusal_log import RefusalLog
from webex_oauth.web.listening import Bounds


def take_host_of_target(target: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Replace the Host header by the host of an absolute *target* (RFC 9112 section 3.2.2).

    Raises ValueError if such a target names no host.
    """
    if target.startswith(b"/"):
        return
    host = urlsplit(target).netloc
    if not host:
        raise ValueError("the target names no host")
    headers[:] = [(b"host", host), *(header for header in headers if header[0] != b"host")]


MAX_HEAD_BYTES: Final = 32 * 1024
PIECE_BYTES: Final = 512
"""How much is parsed at a time. It bounds how many requests of one peer wait: the smallest request
has 18 octets."""

UNSENT_BYTES: Final = 4 * 1024
"""How much of an answer may wait to be sent before the next request is. Its head waits for the body
and both leave at once, which saves a twentieth of a page's CPU."""

NOTHING_ALLOWED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def plain_answer(status: HTTPStatus, text: str) -> bytes:
    """Return the answer to what cannot be given to the application as a request."""
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "content-type: text/plain; charset=utf-8",
        f"content-security-policy: {NOTHING_ALLOWED}",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cross-origin-resource-policy: same-origin",
        f"content-length: {len(text)}",
        "connection: close",
    )
    return "\r\n".join((*lines, "", text)).encode("ascii")


HEAD_TOO_LARGE = plain_answer(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's headers are too large; shorten it."
)
NOT_A_REQUEST = plain_answer(HTTPStatus.BAD_REQUEST, "This is not an HTTP request.")


class SharedState(ServerState):
    """What the connections of one server share."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__()
        self.bounds = bounds
        self.is_draining = False
        self.refusals = RefusalLog()
        self._by_latest_request: dict[BoundedHttpProtocol, None] = {}

    def welcome(self, connection: "BoundedHttpProtocol") -> None:
        """Count a connection; beyond the bound, hang up on the one that was silent longest.

        So no peer can keep others out by holding connections, not even through a proxy.
        """
        self._by_latest_request[connection] = None
        if len(self._by_latest_request) > self.bounds.connections:
            silent = next(iter(self._by_latest_request))
            self.forget(silent)
            silent.cut_off("connection-dropped", "there are too many connections")

    def note_request(self, connection: "BoundedHttpProtocol") -> None:
        """Remember that a connection has sent a whole request."""
        self.forget(connection)
        self._by_latest_request[connection] = None

    def forget(self, connection: "BoundedHttpProtocol") -> None:
        """Stop counting a connection."""
        self._by_latest_request.pop(connection, None)


class HoldingFlow(FlowControl):
    """Flow control that leaves the socket unread while octets wait to be parsed."""

    is_holding = False

    def resume_reading(self) -> None:
        """Read on, unless octets wait already."""
        if not self.is_holding:
            super().resume_reading()


class BoundedHttpProtocol(HttpToolsProtocol):
    """The protocol of one connection: one request after the other, each within its bounds.

    What is around a body (head, chunk sizes, trailers) has MAX_HEAD_BYTES; the parser by itself
    would collect an endless header in memory. The application bounds how long a body takes.
    """

    server_state: SharedState
    flow: HoldingFlow
    _held = b""
    _bytes_around_body = 0
    _is_reading_head = True
    _is_request_under_way = False
    _is_repeating_head = False
    _is_draining = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own does
        super().connection_made(transport)
        self.flow = HoldingFlow(transport)
        transport.set_write_buffer_limits(UNSENT_BYTES, 0)
        self._set_deadline()
        self.server_state.welcome(self)
        if self.server_state.is_draining:
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        self.server_state.forget(self)
        self._clear_deadline()
        self._held = b""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._held += data
        self._parse_held()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._parse_held()
            self.flow.resume_reading()

    def _parse_held(self) -> None:
        """Parse what was read until a request waits for its turn; leave the rest for later."""
        while self._held and not self.pipeline and not self.transport.is_closing():
            piece, self._held = self._held[:PIECE_BYTES], self._held[PIECE_BYTES:]
            self._parse(piece)
        self.flow.is_holding = bool(self._held)
        if self._held:
            self.flow.pause_reading()

    def _parse(self, piece: bytes) -> None:
        self._unset_keepalive_if_required()
        self._bytes_around_body += len(piece)
        try:
            self._feed(piece)
        except httptools.HttpParserError:
            self._refuse("not-a-request", "not an HTTP request", NOT_A_REQUEST)
            return
        if self.transport.is_closing():
            return
        if self._bytes_around_body > MAX_HEAD_BYTES:
            answer = HEAD_TOO_LARGE if self._is_reading_head else b""
            self._refuse("head-too-large", f"over {MAX_HEAD_BYTES} bytes around a body", answer)
        elif self._deadline is None and self._is_peer_due():
            self._set_deadline()

    def _feed(self, piece: bytes) -> None:
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as offer:
            self._decline_offer()
            self._feed(piece[offer.args[0] :])

    def _decline_offer(self) -> None:
        """Read on in HTTP/1.1 after the head of a request that offers another protocol.

        RFC 9110 section 7.8 lets a server ignore the offer, but the parser would treat what follows
        as that protocol: so a new parser gets the framing of the body, and nothing else.
        """
        framing = (b"content-length", b"transfer-encoding")
        lines = [b"%s: %s\r\n" % header for header in self.headers if header[0] in framing]
        self._is_repeating_head = True
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        self.parser.feed_data(b"POST / HTTP/1.1\r\n" + b"".join(lines) + b"\r\n")

    def on_message_begin(self) -> None:
        if self._is_repeating_head:
            return
        self._is_request_under_way = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_repeating_head:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        # A trailer is not a header: a proxy in front of this server has not checked it.
        if self._is_reading_head:
            super().on_header(name, value.strip(BLANK))  # the parser leaves those behind it

    def on_headers_complete(self) -> None:
        if self._is_repeating_head:
            self._is_repeating_head = False
            return
        self._check_framing()
        take_host_of_target(self.url, self.headers)
        self._is_reading_head = False
        self._clear_deadline()
        super().on_headers_complete()
        if self._is_draining:
            self.cycle.keep_alive = False

    def _check_framing(self) -> None:
        """Raise ValueError for a version or a transfer coding that this server does not speak.

        A proxy in front may see another end of such a request (RFC 9112 section 6.1).
        """
        version = self.parser.get_http_version()
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        known = ([], [b"chunked"]) if version == "1.1" else ([],)
        if version not in {"1.0", "1.1"} or codings not in known:
            raise ValueError(version, codings)

    def on_body(self, body: bytes) -> None:
        self._bytes_around_body = max(0, self._bytes_around_body - len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # the offer is declined; the body follows
        super().on_message_complete()
        self._is_reading_head = True
        self._is_request_under_way = False
        self._bytes_around_body = 0
        self.server_state.note_request(self)

    def shutdown(self) -> None:
        """Close after the next answer, or after a moment without a request."""
        if self._is_draining:
            return
        self._is_draining = True
        self.timeout_keep_alive = self.server_state.bounds.parting_seconds
        if not self._is_idle():
            # An answer that has begun has already said that its connection stays open.
            self.cycle.keep_alive = self.cycle.response_started and self.cycle.keep_alive
        elif not self._is_request_under_way:
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def cut_off(self, kind: str, reason: str) -> None:
        """Hang up at once."""
        self._note_refusal(kind, reason)
        self.transport.abort()

    def _refuse(self, kind: str, reason: str, answer: bytes) -> None:
        self._note_refusal(kind, reason)
        self.transport.write(answer)
        self.transport.close()

    def _note_refusal(self, kind: str, reason: str) -> None:
        peer = self.client[0] if self.client else ""
        self.server_state.refusals.note(kind, reason, peer=peer)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None before the first request

    def _is_peer_due(self) -> bool:
        """Return whether a head is incomplete while no answer is under way.

        The rest of a body that was answered early counts too.
        """
        return self._is_idle() or (self._is_reading_head and self._is_request_under_way)

    def _set_deadline(self) -> None:
        seconds = self.server_state.bounds.head_seconds
        self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
