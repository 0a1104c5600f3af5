"""A way through an HTTP proxy to a TLS server (RFC 9110 section 9.3.6)."""

import asyncio
import ssl
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from webex_oauth.errors import RequestNotSent
from webex_oauth.secret import Secret
from webex_oauth.transport.connection import Connection
from webex_oauth.transport.message import Origin

MAX_ANSWER_BYTES = 16 * 1024
DEFAULT_PROXY_PORT = 3128


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy is, and who we are to it."""

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


async def open_tunnel(proxy: Proxy, origin: Origin, tls: ssl.SSLContext) -> Connection:
    """Open a connection to *origin* through *proxy*; raises RequestNotSent, OSError or SSLError."""
    loop = asyncio.get_running_loop()
    transport, tunnel = await loop.create_connection(_Tunnel, proxy.host, proxy.port)
    try:
        transport.write(_connect_request(proxy, origin))
        await tunnel.is_open
        connection = Connection()
        secured = await loop.start_tls(transport, connection, tls, server_hostname=origin.host)
    except BaseException:
        transport.abort()
        raise
    if secured is None:
        raise RequestNotSent("the proxy closed the tunnel")
    connection.connection_made(secured)
    return connection


def _connect_request(proxy: Proxy, origin: Origin) -> bytes:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    authority = f"{host}:{origin.port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"host: {authority}"]
    if proxy.credentials is not None:
        lines.append(f"proxy-authorization: Basic {proxy.credentials.reveal()}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


class _Tunnel(asyncio.Protocol):
    """Wait for the proxy's consent."""

    def __init__(self) -> None:
        self.is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        if b"\r\n\r\n" not in self._received and len(self._received) < MAX_ANSWER_BYTES:
            return
        if self.is_open.done():
            return
        status = self._received[:12]
        if status.startswith(b"HTTP/1.") and status.endswith(b" 200"):
            self.is_open.set_result(None)
        else:
            self.is_open.set_exception(RequestNotSent("the proxy refused the tunnel"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.is_open.done():
            self.is_open.set_exception(RequestNotSent("the proxy closed the tunnel"))
