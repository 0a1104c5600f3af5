"""The HTTP server: uvicorn, with bounds on how a request arrives."""

import asyncio
import socket
from http import HTTPStatus

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from webex_oauth.web.draining import GENTLE, DrainingServer, DrainingState, Farewell

MAX_HEAD_BYTES = 32 * 1024
DRAIN_SECONDS = 20
KEEP_ALIVE_SECONDS = 30
REQUEST_SECONDS = 20
BACKLOG = 1024

NOTHING_ALLOWED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def plain_answer(status: HTTPStatus, text: str) -> bytes:
    """Build the answer to what is no request that the application could be asked."""
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


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuse a request that is not whole after *request_seconds*, or with too much around its body.

    What is around a body (head, chunk sizes, trailers) has MAX_HEAD_BYTES. The parser by itself
    would wait for ever, and collect an endless header in memory.
    """

    request_seconds: float = REQUEST_SECONDS
    server_state: DrainingState
    _is_draining = False
    _bytes_around_body = 0
    _is_reading_head = True
    _is_request_under_way = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own does
        super().connection_made(transport)
        self._set_deadline()
        if self.server_state.is_draining:
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._bytes_around_body += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._bytes_around_body > MAX_HEAD_BYTES:
            self._refuse()
        elif self._is_request_under_way and self._deadline is None:
            self._set_deadline()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        self.transport.write(NOT_A_REQUEST)
        self.transport.close()

    def on_message_begin(self) -> None:
        self._is_request_under_way = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        # A trailer is no header: what stands in front of this server has not looked at it.
        if self._is_reading_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_reading_head = False
        super().on_headers_complete()
        if self._is_draining:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._bytes_around_body = max(0, self._bytes_around_body - len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_reading_head = True
        self._is_request_under_way = False
        self._bytes_around_body = 0
        self._clear_deadline()

    def shutdown(self) -> None:
        """End with the next answer, or after a moment without a request."""
        if self._is_draining:
            return
        self._is_draining = True
        self.timeout_keep_alive = self.server_state.farewell.idle_seconds
        if self.cycle is not None and not self.cycle.response_complete:  # type: ignore[redundant-expr]  # None before the first request
            # An answer that has begun has told that its connection stays.
            self.cycle.keep_alive = self.cycle.response_started and self.cycle.keep_alive
        elif not self._is_request_under_way:
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _refuse(self) -> None:
        if self._is_reading_head:
            self.transport.write(HEAD_TOO_LARGE)
        self.transport.close()

    def _set_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.request_seconds, self.transport.close)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    stop: asyncio.Event,
    protocol: type[BoundedHttpProtocol] = BoundedHttpProtocol,
    farewell: Farewell = GENTLE,
) -> None:
    """Serve *app* until *stop* is set; then say *farewell* and finish what is under way.

    No proxy's header is trusted, and no answer names the software.
    """
    server = DrainingServer(
        uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        ),
        farewell,
    )
    waiting = asyncio.create_task(server.stop_when(stop))
    try:
        await server.serve(sockets=[listener])
    finally:
        waiting.cancel()


def listening_socket(host: str, port: int) -> socket.socket:
    """Bind *host* and *port*; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it answers wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
