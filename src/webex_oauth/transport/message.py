"""A request as bytes on the wire (RFC 9112); no part of it can break out of its place."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from webex_oauth.errors import RequestNotSent
from webex_oauth.oauth.http import HttpRequest

STANDING_HEADERS = "user-agent: webex-oauth\r\naccept-encoding: identity\r\n"
DEFAULT_PORTS = {"http": 80, "https": 443}
URL = re.compile(r"(https?)://([A-Za-z0-9.:\[\]-]+)(/[!-\"$-~]*)")
METHOD = re.compile(r"[A-Z]+")
HEADER_NAME = re.compile(r"[a-z0-9-]+")
HEADER_VALUE = re.compile(r"[\t !-~]*")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request goes; `str()` is host:port."""

    host: str
    port: int
    is_tls: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def write_request(request: HttpRequest) -> tuple[Origin, bytes]:
    """Write *request* for its origin; raises RequestNotSent for what HTTP cannot carry."""
    origin, start = _origin_and_start(request.method, request.url)
    lines = [start]
    for name, value in request.headers.items():
        if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
            raise RequestNotSent("the request has a header that cannot be sent")
        lines.append(f"{name}: {value}\r\n")
    if request.body or request.method == "POST":
        lines.append(f"content-length: {len(request.body)}\r\n")
    lines.append("\r\n")
    return origin, "".join(lines).encode("ascii") + request.body


@lru_cache(maxsize=64)
def _origin_and_start(method: str, url: str) -> tuple[Origin, str]:
    parts = URL.fullmatch(url)
    if parts is None or not METHOD.fullmatch(method):
        raise RequestNotSent("the request has a URL or a method that cannot be sent")
    scheme, authority, target = parts.groups()
    start = f"{method} {target} HTTP/1.1\r\nhost: {authority}\r\n{STANDING_HEADERS}"
    return _origin(scheme, authority), start


def _origin(scheme: str, authority: str) -> Origin:
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        port = parts.port
    except ValueError:
        raise RequestNotSent("the request has a host that cannot be reached") from None
    if not parts.hostname:
        raise RequestNotSent("the request has no host")
    return Origin(parts.hostname, port or DEFAULT_PORTS[scheme], scheme == "https")
