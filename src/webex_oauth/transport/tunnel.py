"""A way through an HTTP proxy to a TLS server (RFC 9110 section 9.3.6)."""

import asyncio
import re
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from webex_oauth.errors import ProxyFailed
from webex_oauth.secret import Secret
from webex_oauth.transport.message import Origin

MAX_ANSWER_BYTES = 16 * 1024
DEFAULT_PROXY_PORT = 3128
STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3})[ \r\n]")


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
        elif status[1] != b"200":
            self._fail(f"answered {status[1].decode()}", int(status[1]))
        else:
            self.is_open.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.is_open.done():
            self._fail("closed the connection without an answer")

    def _fail(self, what: str, status: int | None = None) -> None:
        self.is_open.set_exception(ProxyFailed(f"the proxy {self._proxy} {what}", status))
