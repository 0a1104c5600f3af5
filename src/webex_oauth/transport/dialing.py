"""New connections: name, address, proxy, TLS; each failure says which of them and why.

All addresses of a name are tried, the next one shortly after the last, so that a dead one costs a
fraction of a second and not the deadline (Happy Eyeballs, RFC 8305). A proxy is asked for a tunnel
(RFC 9110 section 9.3.6).
"""

import asyncio
import os
import re
import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from aiohappyeyeballs import start_connection

from webex_oauth.errors import (
    CertificateRefused,
    ConnectFailed,
    HostNotFound,
    ProxyFailed,
    RequestNotSent,
    TlsFailed,
)
from webex_oauth.secret import Secret
from webex_oauth.transport.connection import Connection, Origin

MAX_ANSWER_BYTES = 16 * 1024
DEFAULT_PROXY_PORT = 3128
STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3})[ \r\n]")
CONNECT_SECONDS = 5.0
NEXT_ADDRESS_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy is, and who we are to it; `str()` is host:port."""

    host: str
    port: int
    credentials: Secret | None

    @classmethod
    def from_url(cls, url: str) -> "Proxy":
        """Read http://[user:password@]host[:port]; raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("a proxy is http://host:port")
        credentials = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            credentials = Secret(b64encode(pair.encode()).decode())
        return cls(parts.hostname, parts.port or DEFAULT_PROXY_PORT, credentials)

    def __str__(self) -> str:
        return str(Origin(self.host, self.port, is_tls=False))


def connect_request(proxy: Proxy, origin: Origin) -> bytes:
    """Build the request for a tunnel to *origin*."""
    lines = [f"CONNECT {origin} HTTP/1.1", f"host: {origin}"]
    if proxy.credentials is not None:
        lines.append(f"proxy-authorization: Basic {proxy.credentials.reveal()}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


class Tunnel(asyncio.Protocol):
    """The proxy's side of a tunnel that is being opened: `is_open`, or fails with ProxyFailed."""

    def __init__(self, proxy: str) -> None:
        self.is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._proxy = proxy
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        if b"\r\n\r\n" not in self._received and len(self._received) < MAX_ANSWER_BYTES:
            return
        if self.is_open.done():
            return
        status = STATUS_LINE.match(self._received)
        if status is None:
            self._fail("does not answer as an HTTP proxy")
        elif not status[1].startswith(b"2"):
            self._fail(f"answered {status[1].decode()}", int(status[1]))
        else:
            self.is_open.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.is_open.done():
            self._fail("closed the connection without an answer")

    def _fail(self, what: str, status: int | None = None) -> None:
        self.is_open.set_exception(ProxyFailed(f"the proxy {self._proxy} {what}", status))


class _Attempt:
    """What a new connection waits for, and what it is called if that takes too long."""

    def __init__(self) -> None:
        self.phase = ""
        self.failure: type[RequestNotSent] = ConnectFailed


class Dialer:
    """Open connections, through *proxy* if there is one."""

    def __init__(self, tls: ssl.SSLContext, proxy: Proxy | None) -> None:
        self._tls = tls
        self._proxy = proxy

    async def open(self, origin: Origin, give_up_at: float) -> Connection:
        """Open a connection to *origin*; raise RequestNotSent."""
        now = asyncio.get_running_loop().time()
        ends_at = min(now + CONNECT_SECONDS, give_up_at)
        attempt = _Attempt()
        # Plain http is for this machine alone, where no proxy stands in between.
        proxy = self._proxy if origin.is_tls else None
        try:
            async with asyncio.timeout_at(ends_at):
                if proxy is not None:
                    return await self._through(proxy, origin, attempt)
                return await self._directly(origin, attempt)
        except TimeoutError:
            waited = f"{attempt.phase} took longer than {ends_at - now:.2g} s"
            raise attempt.failure(waited) from None

    async def _directly(self, origin: Origin, attempt: _Attempt) -> Connection:
        try:
            sock = await _connected(origin.host, origin.port, attempt)
        except socket.gaierror as error:
            raise HostNotFound(f"{attempt.phase} failed: {_words(error)}") from None
        except OSError as error:
            raise ConnectFailed(f"{attempt.phase} failed: {_words(error)}") from None
        return await self._secured(origin, sock, attempt)

    async def _secured(self, origin: Origin, sock: socket.socket, attempt: _Attempt) -> Connection:
        attempt.phase, attempt.failure = f"TLS with {origin}", TlsFailed
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(str(origin)),
                sock=sock,
                ssl=self._tls if origin.is_tls else None,
                server_hostname=origin.host if origin.is_tls else None,
            )
        except OSError as error:
            raise _tls_failure(origin, error) from None
        return connection

    async def _through(self, proxy: Proxy, origin: Origin, attempt: _Attempt) -> Connection:
        attempt.failure = ProxyFailed
        try:
            sock = await _connected(proxy.host, proxy.port, attempt, "the proxy ")
        except OSError as error:
            raise ProxyFailed(f"{attempt.phase} failed: {_words(error)}") from None
        attempt.phase = f"the answer of the proxy {proxy}"
        loop = asyncio.get_running_loop()
        transport, tunnel = await loop.create_connection(lambda: Tunnel(str(proxy)), sock=sock)
        try:
            transport.write(connect_request(proxy, origin))
            await tunnel.is_open
            attempt.phase = f"TLS with {origin} through the proxy {proxy}"
            attempt.failure = TlsFailed
            connection = Connection(str(origin))
            secured = await loop.start_tls(
                transport, connection, self._tls, server_hostname=origin.host
            )
        except OSError as error:
            transport.abort()
            raise _tls_failure(origin, error) from None
        except BaseException:
            transport.abort()
            raise
        if secured is None:
            raise ProxyFailed(f"the proxy {proxy} closed the tunnel to {origin}")
        connection.connection_made(secured)
        return connection


async def _connected(host: str, port: int, attempt: _Attempt, what: str = "") -> socket.socket:
    """Return a socket connected to the first address of *host* that answers; raise OSError."""
    loop = asyncio.get_running_loop()
    attempt.phase = f"looking up {what}{host}"
    try:
        addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "the name is not one") from error
    attempt.phase = f"connecting to {what}{Origin(host, port, is_tls=False)}"
    try:
        return await start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS)
    except RuntimeError as error:  # uvloop raises these for some failures of the system
        raise OSError(str(error)) from error


def _tls_failure(origin: Origin, error: OSError) -> RequestNotSent:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateRefused(str(origin), error.verify_message.rstrip("."))
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or str(error)).replace("_", " ").lower()
        return TlsFailed(f"TLS with {origin} failed: {reason}")
    return TlsFailed(f"TLS with {origin} was broken off: {_words(error)}")


def _words(error: OSError) -> str:
    """Return the system's words for *error*."""
    if error.errno and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno).lower()
    return error.strerror or str(error) or type(error).__name__
