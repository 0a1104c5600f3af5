"""The transport that sends requests over HTTP/1.1, on connections that it keeps for the next."""

import asyncio
import ssl
import zlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from types import TracebackType
from typing import Any, Self, TypeVar

from msgspec.structs import replace

from webex_oauth.errors import (
    AnswerLost,
    ConfigurationError,
    InvalidResponse,
    RequestNotSent,
    ResponseTooLarge,
    UpstreamError,
)
from webex_oauth.oauth.http import HttpRequest, HttpResponse, trimmed
from webex_oauth.ports import Limits, StreamedResponse
from webex_oauth.transport.connection import HttpConnection, Peer, write_request
from webex_oauth.transport.dialing import Dialer, Proxy

MAX_CONNECTIONS = 256
KEEP_SECONDS = 15.0
# zlib.decompressobj: 16 + MAX_WBITS reads a gzip header and trailer.
GZIP_WINDOW = 16 + zlib.MAX_WBITS

Result = TypeVar("Result")


class HttpTransport:
    """A `ports.Transport` that keeps connections; use it as an async context manager.

    *proxy* is an http:// URL to go through to TLS servers; *ca_file* a PEM file of the
    authorities to trust instead of the bundled ones, which are loaded when they are first needed.
    Raises ConfigurationError.
    """

    def __init__(self, *, proxy: str | None = None, ca_file: str | None = None) -> None:
        named = None if ca_file is None else _tls_context(ca_file)
        tls = _bundled_tls_context if named is None else lambda: named
        self._pool = ConnectionPool(Dialer(tls, Proxy.from_url(proxy) if proxy else None))

    async def __aenter__(self) -> Self:
        self._pool.is_open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.close()

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        return await _shielded(self._whole(request, limits))

    @asynccontextmanager
    async def stream(
        self, request: HttpRequest, limits: Limits, body: AsyncIterator[bytes] | None = None
    ) -> AsyncIterator[StreamedResponse]:
        async with AsyncExitStack() as exits:
            exchange = self._exchange(request, limits, body)
            yield await _shielded(exits.enter_async_context(exchange))

    async def _whole(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        async with self._exchange(request, limits) as answer:
            body = b"".join([piece async for piece in answer.pieces])
        return decoded(HttpResponse(answer.status, answer.headers, body), limits.max_body_bytes)

    @asynccontextmanager
    async def _exchange(
        self, request: HttpRequest, limits: Limits, body: AsyncIterator[bytes] | None = None
    ) -> AsyncIterator[StreamedResponse]:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + limits.deadline_seconds
        peer, message = write_request(request)
        while True:
            connection = await self._pool.take(peer, give_up_at)
            # A timer alone: asyncio.timeout_at costs three times as much, for every request.
            deadline = loop.call_at(give_up_at, connection.give_up, limits.deadline_seconds)
            try:
                answer = connection.ask(message, limits.max_body_bytes)
                if body is None:
                    yield await answer
                else:
                    async with _sending(connection, body, answer):
                        yield await answer
            except AnswerLost:
                # If the server closed a kept connection before it read the request, ask again.
                if request.method != "GET" or not connection.had_ended:
                    raise
            else:
                return
            finally:
                deadline.cancel()
                connection.leave()
                self._pool.give_back(peer, connection)


class ConnectionPool:
    """Connections, at most MAX_CONNECTIONS in use at a time.

    An idle one is closed after KEEP_SECONDS, before servers are likely to close it.
    """

    def __init__(self, dialer: Dialer) -> None:
        self.is_open = False
        self._dialer = dialer
        self._places = asyncio.Semaphore(MAX_CONNECTIONS)
        self._kept: dict[Peer, deque[HttpConnection]] = {}

    async def take(self, peer: Peer, give_up_at: float) -> HttpConnection:
        """Return a connection, kept or new, which must be given back; raise RequestNotSent.

        *give_up_at* is an instant of the loop's clock.
        """
        if not self.is_open:
            raise RequestNotSent("the transport is closed")
        await self._take_place(give_up_at)
        try:
            return self._find_kept(peer) or await self._dialer.open(peer, give_up_at)
        except BaseException:
            self._places.release()
            raise

    def give_back(self, peer: Peer, connection: HttpConnection) -> None:
        """Keep the connection if another exchange may follow."""
        self._places.release()
        if not self.is_open:
            connection.abort()
        elif connection.is_reusable:
            connection.idle_since = asyncio.get_running_loop().time()
            self._kept.setdefault(peer, deque()).append(connection)

    def close(self) -> None:
        """Close idle connections at once, and those in use when they are given back."""
        self.is_open = False
        for connections in self._kept.values():
            for connection in connections:
                connection.abort()
        self._kept.clear()

    async def _take_place(self, give_up_at: float) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout_at(give_up_at):
                await self._places.acquire()
        except TimeoutError:
            raise RequestNotSent(f"all {MAX_CONNECTIONS} connections to Webex are in use") from None

    def _find_kept(self, peer: Peer) -> HttpConnection | None:
        kept = self._kept.get(peer)
        if not kept:
            return None
        oldest_good = asyncio.get_running_loop().time() - KEEP_SECONDS
        while kept and kept[0].idle_since < oldest_good:
            kept.popleft().abort()
        while kept:
            connection = kept.pop()
            if connection.is_reusable:
                return connection
        return None


async def _shielded(work: Awaitable[Result]) -> Result:
    """Return what *work* returns; raise its UpstreamError without the frames that it came through.

    They hold the request's headers, and so the token.
    """
    try:
        return await work
    except UpstreamError as error:
        failure = error.with_traceback(None)
        failure.__context__ = None
    raise failure


@asynccontextmanager
async def _sending(
    connection: HttpConnection, body: AsyncIterator[bytes], answer: "asyncio.Future[Any]"
) -> AsyncIterator[None]:
    """Send *body* until *answer* begins or the context ends; raise what broke it off before that.

    A request that is not whole makes its connection useless.
    """

    async def send_pieces() -> None:
        async for piece in body:
            await connection.write(piece)

    sending = asyncio.create_task(send_pieces())
    try:
        await asyncio.wait((answer, sending), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            sending.result()
        yield
    finally:
        sending.cancel()
        (outcome,) = await asyncio.gather(sending, return_exceptions=True)
        if outcome is not None:
            connection.abort()


@cache
def _bundled_tls_context() -> ssl.SSLContext:
    # Import and file cost a script more than opening its store and reading a token.
    import certifi  # noqa: PLC0415

    return _tls_context(certifi.where())


def _tls_context(ca_file: str) -> ssl.SSLContext:
    # Not ssl.create_default_context: that obeys SSLKEYLOGFILE and SSL_CERT_FILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        mistake = (
            f"WEBEX_CA_FILE {ca_file} cannot be used ({reason}): name a readable PEM file of "
            "authorities, each from -----BEGIN CERTIFICATE----- on"
        )
        raise ConfigurationError([mistake]) from error
    return context


def decoded(answer: HttpResponse, max_bytes: int) -> HttpResponse:
    """Return the answer with its body decompressed; raise InvalidResponse or ResponseTooLarge."""
    if "content-encoding" not in answer.headers:
        return answer
    coding = trimmed(answer.headers["content-encoding"]).lower()
    if coding == "identity":
        return answer
    if coding not in {"gzip", "x-gzip"}:
        raise InvalidResponse("the answer has a content coding that was not asked for")
    return replace(answer, body=_inflated(answer.body, max_bytes))


def _inflated(body: bytes, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj(GZIP_WINDOW)
    try:
        plain = inflater.decompress(body, max_bytes)
    except zlib.error:
        raise InvalidResponse("the answer's gzip coding is broken") from None
    if inflater.unconsumed_tail:
        raise ResponseTooLarge(f"the answer exceeds {max_bytes} bytes when inflated")
    if not inflater.eof:
        raise InvalidResponse("the answer's gzip coding is cut short")
    return plain
