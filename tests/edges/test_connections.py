"""What one peer may take: of the memory by many requests, of the places by many connections."""

import asyncio
import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from edges.raw import exchange
from edges.served_alone import served_alone
from scene import AT_ONCE
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from waiting import LIMIT_SECONDS, LOOK_AGAIN_SECONDS

from webex_oauth.web.listening import Bounds

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nconnection: close\r\n\r\n"
HEAD = b"POST /said HTTP/1.1\r\ncontent-length: 4\r\n"
CHUNKED = b"POST /said HTTP/1.1\r\ntransfer-encoding: chunked\r\n"
OFFERS = {
    "HTTP/2": b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMA\r\n",
    "WebSocket": b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n",
    "TLS": b"connection: upgrade\r\nupgrade: TLS/1.2\r\n",
}
MEBIBYTE = 1024 * 1024


async def tell(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the path and the body, after others had their turn."""
    body = await Request(scope, receive).body()
    await asyncio.sleep(0)
    await PlainTextResponse(f"{scope['path']} {body.decode()}.")(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served_alone(tell, AT_ONCE) as served:
        yield served.port


@pytest.mark.check("D19")
@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
@pytest.mark.parametrize("pieces", [1, 2, 200], ids=["at once", "in two", "octet by octet"])
def test_an_offer_of_another_protocol_costs_no_body(offer: bytes, pieces: int, port: int) -> None:
    sent = HEAD + offer + b"\r\nbody" + CHUNKED + offer + b"\r\n2\r\nab\r\n0\r\n\r\n" + LAST
    size = -(-len(sent) // pieces)

    answer = exchange(port, *(sent[at : at + size] for at in range(0, len(sent), size)))

    assert re.findall(rb"(?<=\n)/.*?\.", answer.octets) == [
        b"/said body.",
        b"/said ab.",
        b"/last .",
    ]


@pytest.mark.check("D19")
@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
def test_an_offer_without_a_body_costs_no_request(offer: bytes, port: int) -> None:
    answer = exchange(port, b"GET / HTTP/1.1\r\n" + offer + b"\r\n" + REQUEST + LAST)

    assert answer.statuses == [200, 200, 200]


@pytest.mark.check("D18")
def test_requests_that_come_together_are_answered_in_turn(port: int) -> None:
    numbers = range(5_000)
    sent = b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % number for number in numbers)

    answer = exchange_while_reading(port, sent + LAST)

    told = re.findall(rb"(?<=\n)/(\d+) \.", answer)
    assert [int(number) for number in told] == list(numbers)


def exchange_while_reading(port: int, sent: bytes) -> bytes:
    """Send everything, and read meanwhile until the server closes."""
    with socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS) as connection:
        sending = threading.Thread(target=connection.sendall, args=(sent,))
        sending.start()
        received = bytearray()
        while piece := connection.recv(65536):
            received += piece
        sending.join(LIMIT_SECONDS)
        return bytes(received)


@pytest.mark.bound("requests parsed ahead")
@pytest.mark.check("D18", "H11")
def test_a_peer_that_sends_request_after_request_fills_no_memory(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS) as connection:
        before = memory_bytes()
        sending = threading.Thread(target=send_until_refused, args=(connection, REQUEST * 10_000))
        sending.start()
        answers = 0
        while answers < 10_000:
            answers += connection.recv(65536).count(b"HTTP/1.1 200 ")
        grown_bytes = memory_bytes() - before
        connection.shutdown(socket.SHUT_RDWR)
        sending.join(LIMIT_SECONDS)

    assert grown_bytes < 8 * MEBIBYTE


def send_until_refused(connection: socket.socket, octets: bytes) -> None:
    """Send without end."""
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(octets)


def memory_bytes() -> int:
    """Return the memory that is this process's alone."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024


@pytest.mark.bound("connections from browsers")
@pytest.mark.check("D18", "H11")
def test_beyond_the_bound_the_connection_that_was_silent_longest_is_dropped() -> None:
    with served_alone(tell, Bounds(connections=3, accepting_seconds=0)) as served:
        with socket.create_connection(("127.0.0.1", served.port), LIMIT_SECONDS) as silent:
            first, second, third = (asking(served.port) for _ in range(3))
            is_silent_dropped = is_dropped(silent)
        ask(first)
        fourth = asking(served.port)

        assert is_silent_dropped
        assert is_dropped(second)
        for connection in (first, third, fourth):
            ask(connection)
            connection.close()


def asking(port: int) -> socket.socket:
    """Open a connection that has sent a request and got its answer."""
    connection = socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS)
    ask(connection)
    return connection


def ask(connection: socket.socket) -> None:
    """Send a request, and read its answer."""
    connection.sendall(REQUEST)
    received = b""
    while not received.endswith(b"\r\n\r\n/ ."):
        piece = connection.recv(65536)
        assert piece, received
        received += piece


def is_dropped(connection: socket.socket) -> bool:
    """Wait until the server hangs up; False when it does not."""
    with connection:
        try:
            return connection.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


@pytest.mark.bound("octets that wait for a peer")
@pytest.mark.check("D18", "H11")
def test_a_peer_that_reads_nothing_is_not_worked_for() -> None:
    answered = 0

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal answered
        answered += 1
        await PlainTextResponse("a" * 4096)(scope, receive, send)

    with served_alone(answer, AT_ONCE, unread_seconds=1) as served, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", served.port))
        deaf.sendall(REQUEST * 1_000)
        ask_until_dropped(deaf)

    assert 0 < answered < 20


def ask_until_dropped(connection: socket.socket) -> None:
    """Ask again and again, until the server has hung up."""
    ends_at = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < ends_at:
        try:
            connection.sendall(REQUEST)
        except ConnectionError:
            return
        time.sleep(LOOK_AGAIN_SECONDS)
    raise AssertionError("the connection is still open")
