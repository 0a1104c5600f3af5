"""Requests that do not arrive and answers that are not read: bounded, and in nobody's way."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from edges.raw import exchange
from edges.served_alone import served_alone
from scene import AT_ONCE
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from waiting import LIMIT_SECONDS

from webex_oauth.web.frame import Frame
from webex_oauth.web.listening import Bounds
from webex_oauth.web.refusals import Refused

SECONDS = 0.3
HASTY = Bounds(head_seconds=SECONDS, idle_seconds=3600, accepting_seconds=0, parting_seconds=0)
HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n"
LARGE = b"a" * 8_000_000
"""More than the system keeps for a peer that does not read."""


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what was sent, once it is whole."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(body.decode())(scope, receive, send)


async def send_large(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with more than fits between here and a peer that does not read."""
    await Response(LARGE)(scope, receive, send)


async def send_without_end(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's signature
    """Answer with one piece after the other."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"a" * 1000, "more_body": True})
        await asyncio.sleep(0)


async def show_title(scope: Scope, refused: Refused) -> ASGIApp:  # noqa: ARG001 - what a frame calls
    return PlainTextResponse(refused.failure.name, refused.failure.status)


def framed(app: ASGIApp) -> Frame:
    """Put a frame around *app* that waits no longer than a test does."""
    return Frame(
        app,
        public_hosts=["a"],
        headers=[],
        show_failure=show_title,
        body_seconds=SECONDS,
        stream_seconds=SECONDS,
    )


@pytest.fixture(scope="module")
def hasty_port() -> Iterator[int]:
    with served_alone(framed(echo), HASTY) as served:
        yield served.port


@pytest.mark.bound("time for a head", "time for a body")
@pytest.mark.check("D18")
@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (b"", []),
        (b"\r\n", []),
        (b"POST", []),
        (HEAD, []),
        (HEAD + b"\r\nabPOST / HT", [200]),
        (HEAD + b"\r\n", [408]),
        (HEAD + b"\r\na", [408]),
    ],
    ids=[
        "nothing",
        "an empty line",
        "half a line",
        "half a head",
        "half a second head",
        "no body",
        "half a body",
    ],
)
def test_a_request_that_is_never_whole_ends_its_connection(
    sent: bytes, statuses: list[int], hasty_port: int
) -> None:
    answer = exchange(hasty_port, sent)

    assert answer.statuses == statuses


@pytest.mark.check("D18")
@pytest.mark.parametrize("rest", [b"x-a: b\r\n", b"\r\n"], ids=["a head", "empty lines"])
def test_a_peer_that_sends_a_little_all_the_time_is_cut_off(rest: bytes, hasty_port: int) -> None:
    with socket.create_connection(("127.0.0.1", hasty_port), LIMIT_SECONDS) as connection:
        if rest.strip():
            connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n")
        sent_until_refused(connection, rest)


def sent_until_refused(connection: socket.socket, piece: bytes) -> None:
    """Send octet after octet; AssertionError when that goes on for too long."""
    ends_at = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < ends_at:
        for octet in piece:
            try:
                connection.sendall(bytes([octet]))
            except ConnectionError:
                return
            time.sleep(SECONDS / 20)
    raise AssertionError("the connection is still open")


@pytest.mark.check("D18")
def test_a_kept_connection_may_rest_longer_than_a_head_may_take(hasty_port: int) -> None:
    with socket.create_connection(("127.0.0.1", hasty_port), LIMIT_SECONDS) as connection:
        ask(connection)
        connection.settimeout(2 * SECONDS)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(LIMIT_SECONDS)

        ask(connection)


def ask(connection: socket.socket) -> None:
    """Send a request and read its answer to the end, which is what was sent."""
    connection.sendall(HEAD + b"\r\nab")
    received = b""
    while not received.endswith(b"\r\n\r\nab"):
        piece = connection.recv(65536)
        assert piece, received
        received += piece


@pytest.mark.bound("time an answer is left unread")
@pytest.mark.check("D18")
def test_a_peer_that_reads_nothing_is_cut_off() -> None:
    with (
        served_alone(send_large, AT_ONCE, unread_seconds=1) as served,
        socket.create_connection(("127.0.0.1", served.port), LIMIT_SECONDS) as connection,
    ):
        connection.sendall(HEAD + b"\r\nab")

        sent_until_refused(connection, b"\r\n")


@pytest.mark.bound("time for a stream")
@pytest.mark.check("D18")
def test_a_stream_ends_however_its_reader_reads() -> None:
    with (
        served_alone(framed(send_without_end), AT_ONCE) as served,
        socket.create_connection(("127.0.0.1", served.port), LIMIT_SECONDS) as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")

        assert not read_all(connection).endswith(b"0\r\n\r\n")


def read_all(connection: socket.socket) -> bytes:
    """Read until the server closes."""
    received = bytearray()
    while piece := connection.recv(65536):
        received += piece
    return bytes(received)
