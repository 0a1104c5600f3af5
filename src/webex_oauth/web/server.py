"""The HTTP server: uvicorn, with a bound on the head of a request."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from http import HTTPStatus

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 32 * 1024
DRAIN_SECONDS = 20
KEEP_ALIVE_SECONDS = 30
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
    """Refuse a request whose head does not end within MAX_HEAD_BYTES.

    The parser by itself would collect an endless header in memory.
    """

    _head_bytes = 0
    _is_reading_head = True

    def data_received(self, data: bytes) -> None:
        if self._is_reading_head:
            self._head_bytes += len(data)
        super().data_received(data)
        is_too_large = self._is_reading_head and self._head_bytes > MAX_HEAD_BYTES
        if is_too_large and not self.transport.is_closing():
            self.transport.write(HEAD_TOO_LARGE)
            self.transport.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        self.transport.write(NOT_A_REQUEST)
        self.transport.close()

    def on_headers_complete(self) -> None:
        self._is_reading_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_reading_head = True
        self._head_bytes = 0


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs this server."""
        yield


async def serve(app: ASGIApp, listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve *app* until *stop* is set; then take no more and finish what is under way.

    No proxy's header is trusted, and no answer names the software.
    """
    server = _Server(
        uvicorn.Config(
            app,
            http=BoundedHttpProtocol,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    waiting = asyncio.create_task(_stop_when_set(server, stop))
    try:
        await server.serve(sockets=[listener])
    finally:
        waiting.cancel()


async def _stop_when_set(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


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
