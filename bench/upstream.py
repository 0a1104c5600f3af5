"""The stub Webex: the answers an integration needs, as cheaply as one process can give them."""

import asyncio
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import uvloop

from bench.world import Account, person_answer, read_account, room_page, token_answer

LARGEST_PAGE = 1000
_HEAD_LIMIT = 65_536
_BEARER = re.compile(rb"\r\nauthorization: *bearer ([^\r ]+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def answer(status: bytes, body: bytes, extra: bytes = b"") -> bytes:
    """Build one complete HTTP/1.1 answer."""
    return b"HTTP/1.1 %s\r\ncontent-type: application/json;charset=UTF-8\r\n%s%s" % (
        status,
        b"trackingid: ROUTER_68D0A1B2-1C3E-01BB-07A4-0A1B2C3D4E5F\r\n",
        b"%scontent-length: %d\r\n\r\n%s" % (extra, len(body), body),
    )


_NOT_FOUND = answer(b"404 Not Found", b'{"message":"The requested resource could not be found."}')
_BAD_TOKEN = answer(b"401 Unauthorized", b'{"message":"The request requires a valid token."}')
_BAD_REQUEST = answer(b"400 Bad Request", b'{"message":"The request is malformed."}')


@lru_cache(maxsize=256)
def rooms_answer(origin: str, target: str, room_count: int) -> bytes:
    """Build one page of rooms with the Link to the next one, which keeps the query it was asked."""
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query))
    start = int(query.get("cursor", "0"))
    stop = min(start + min(int(query.get("max", "100")), LARGEST_PAGE), room_count)
    if stop >= room_count:
        return answer(b"200 OK", room_page(start, room_count))
    following = urlencode({**query, "cursor": stop})
    link = f'link: <{origin}{parts.path}?{following}>; rel="next"\r\n'
    return answer(b"200 OK", room_page(start, stop), link.encode())


def token_endpoint_answer(body: bytes) -> bytes:
    """Answer a code exchange or a refresh: the account stands in the code, or in the token."""
    form = parse_qs(body)
    credential = form.get(b"code") or form.get(b"refresh_token")
    if not credential or not form.get(b"client_secret"):
        return _BAD_REQUEST
    return answer(b"200 OK", token_answer(read_account(credential[0])))


@dataclass(slots=True)
class Stub:
    """What all connections share: where they are reached, and how many API answers were given."""

    origin: str = ""
    api_answers: int = 0

    def respond(self, head: bytes, body: bytes) -> tuple[bytes, int]:
        """Give the answer to a request, and the milliseconds it has to take."""
        method, target, _ = head.split(b" ", 2)
        if target == b"/count":
            return answer(b"200 OK", b"%d" % self.api_answers), 0
        self.api_answers += 1
        if method == b"POST" and target == b"/v1/access_token":
            return token_endpoint_answer(body), 0
        bearer = _BEARER.search(head)
        if not bearer:
            return _BAD_TOKEN, 0
        account = read_account(bearer[1])
        return self._api_answer(method, target, account), account.latency_ms

    def _api_answer(self, method: bytes, target: bytes, account: Account) -> bytes:
        path = target.partition(b"?")[0]
        if method == b"GET" and path == b"/v1/rooms":
            return rooms_answer(self.origin, target.decode(), account.room_count)
        if method == b"GET" and path == b"/v1/people/me":
            return answer(b"200 OK", person_answer(account))
        return _NOT_FOUND


class StubConnection(asyncio.Protocol):
    """One kept-alive connection; its client does not pipeline, so answers may be delayed alone."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer once a whole request is here."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            self._refuse_endless_head()
            return
        length = _LENGTH.search(head)
        if length and len(body) < int(length[1]):
            return
        self._received = b""
        self._answer(head, body)

    def _refuse_endless_head(self) -> None:
        if len(self._received) > _HEAD_LIMIT and self._transport:
            self._transport.abort()

    def _answer(self, head: bytes, body: bytes) -> None:
        try:
            content, latency_ms = self._stub.respond(head, body)
        except ValueError:
            content, latency_ms = _BAD_REQUEST, 0
        if not latency_ms:
            self._write(content)
            return
        asyncio.get_running_loop().call_later(latency_ms / 1000, self._write, content)

    def _write(self, content: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(content)


async def serve() -> None:
    """Serve on a free loopback port, print the origin, and stop when standard input ends."""
    loop = asyncio.get_running_loop()
    stub = Stub()
    server = await loop.create_server(lambda: StubConnection(stub), "127.0.0.1", 0)
    stub.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(stub.origin, flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
