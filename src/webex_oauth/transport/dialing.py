"""New connections: name, address, proxy, TLS; each failure says which of them, and why.

`aiohappyeyeballs` tries all addresses of a name (Happy Eyeballs, RFC 8305), so that a dead one
costs a fraction of a second and not the deadline. A proxy is asked for a tunnel (RFC 9110 section
9.3.6).
"""

import asyncio
import os
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from aiohappyeyeballs import start_connection
from msgspec import Struct

from webex_oauth.errors import (
    CertificateRefused,
    ConnectFailed,
    HostNotFound,
    ProxyFailed,
    RequestNotSent,
    TlsFailed,
)
from webex_oauth.secret import Secret
from webex_oauth.transport.connection import HttpConnection, Peer

MAX_PROXY_ANSWER_BYTES = 16 * 1024
DEFAULT_PROXY_PORT = 3128
STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3})[ \r\n]")
CONNECT_SECONDS = 5.0
NEXT_ADDRESS_SECONDS = 0.25


class Proxy(Struct, frozen=True):
    """Where the proxy is, and the credentials it asks for; `str()` is host:port."""

    peer: Peer
    credentials: Secret | None

    @classmethod
    def from_url(cls, url: str) -> "Proxy":
        """Return the proxy at http://[user:password@]host[:port]; raise ValueError."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("a proxy is http://host:port")
        credentials = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            credentials = Secret(b64encode(pair.encode()).decode())
        peer = Peer(parts.hostname, parts.port or DEFAULT_PROXY_PORT, is_tls=False)
        return cls(peer, credentials)

    def __str__(self) -> str:
        return str(self.peer)


class _Attempt:
    """What a new connection waits for, and the error if that takes too long."""

    def __init__(self) -> None:
        self.phase = ""
        self.failure: type[RequestNotSent] = ConnectFailed


class Dialer:
    """Opens connections, through *proxy* if there is one; *tls* returns what they trust."""

    def __init__(self, tls: Callable[[], ssl.SSLContext], proxy: Proxy | None) -> None:
        self._tls = tls
        self._proxy = proxy

    async def open(self, peer: Peer, give_up_at: float) -> HttpConnection:
        """Open a connection to *peer*; raise RequestNotSent."""
        now = asyncio.get_running_loop().time()
        ends_at = min(now + CONNECT_SECONDS, give_up_at)
        attempt = _Attempt()
        try:
            async with asyncio.timeout_at(ends_at):
                # Plain http is for this machine alone, where no proxy stands in between.
                if self._proxy is None or not peer.is_tls:
                    sock = await _reach(peer, attempt)
                else:
                    sock = await _reach_through(self._proxy, peer, attempt)
                return await self._start(peer, sock)
        except TimeoutError:
            waited = f"{attempt.phase} took longer than {ends_at - now:.2g} s"
            raise attempt.failure(waited) from None

    async def _start(self, peer: Peer, sock: socket.socket) -> HttpConnection:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: HttpConnection(str(peer)),
                sock=sock,
                ssl=self._tls() if peer.is_tls else None,
                server_hostname=peer.host if peer.is_tls else None,
            )
        except OSError as error:
            raise _tls_failure(peer, error) from None
        return connection


async def _reach(peer: Peer, attempt: _Attempt) -> socket.socket:
    try:
        sock = await _connect(peer, attempt)
    except socket.gaierror as error:
        raise HostNotFound(f"{attempt.phase} failed: {_words(error)}") from None
    except OSError as error:
        raise ConnectFailed(f"{attempt.phase} failed: {_words(error)}") from None
    attempt.phase, attempt.failure = f"TLS with {peer}", TlsFailed
    return sock


async def _reach_through(proxy: Proxy, peer: Peer, attempt: _Attempt) -> socket.socket:
    attempt.failure = ProxyFailed
    try:
        sock = await _connect(proxy.peer, attempt, "the proxy ")
    except OSError as error:
        raise ProxyFailed(f"{attempt.phase} failed: {_words(error)}") from None
    attempt.phase = f"the answer of the proxy {proxy}"
    try:
        await _open_tunnel(sock, proxy, peer)
    except OSError as error:
        sock.close()
        raise ProxyFailed(f"the proxy {proxy} broke off the connection: {_words(error)}") from None
    except BaseException:
        sock.close()
        raise
    attempt.phase = f"TLS with {peer} through the proxy {proxy}"
    attempt.failure = TlsFailed
    return sock


async def _connect(peer: Peer, attempt: _Attempt, what: str = "") -> socket.socket:
    """Return a socket connected to the first address of *peer* that answers; raise OSError."""
    loop = asyncio.get_running_loop()
    attempt.phase = f"looking up {what}{peer.host}"
    try:
        addresses = await loop.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error
    except RuntimeError as error:  # a program that ends without closing has no more threads
        raise OSError(str(error)) from error
    attempt.phase = f"connecting to {what}{peer}"
    try:
        return await start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS)
    except RuntimeError as error:  # uvloop raises these for some failures of the system
        raise OSError(str(error)) from error


async def _open_tunnel(sock: socket.socket, proxy: Proxy, peer: Peer) -> None:
    """Ask the proxy for a tunnel to *peer*; raise ProxyFailed or OSError."""
    loop = asyncio.get_running_loop()
    lines = [f"CONNECT {peer} HTTP/1.1", f"host: {peer}"]
    if proxy.credentials is not None:
        lines.append(f"proxy-authorization: Basic {proxy.credentials.reveal()}")
    await loop.sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode("ascii"))
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < MAX_PROXY_ANSWER_BYTES:
        received = await loop.sock_recv(sock, MAX_PROXY_ANSWER_BYTES)
        if not received:
            raise ProxyFailed(f"the proxy {proxy} closed the connection without an answer")
        answer += received
    status = STATUS_LINE.match(answer)
    if status is None:
        raise ProxyFailed(f"the proxy {proxy} does not answer as an HTTP proxy")
    if not status[1].startswith(b"2"):
        raise ProxyFailed(f"the proxy {proxy} answered {status[1].decode()}", int(status[1]))


def _tls_failure(peer: Peer, error: OSError) -> RequestNotSent:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateRefused(str(peer), error.verify_message.rstrip("."))
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or str(error)).replace("_", " ").lower()
        return TlsFailed(f"TLS with {peer} failed: {reason}")
    return TlsFailed(f"TLS with {peer} was broken off: {_words(error)}")


def _words(error: OSError) -> str:
    """Return the system's words for *error*."""
    if error.errno and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno).lower()
    return error.strerror or str(error) or type(error).__name__
