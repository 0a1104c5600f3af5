"""A request that does not arrive is not waited for."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
from edges.raw import exchange
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from waiting import LIMIT_SECONDS

from webex_oauth.web.server import BoundedHttpProtocol, listening_socket, serve

HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n"


class HastyProtocol(BoundedHttpProtocol):
    """Wait for requests no longer than a test does."""

    request_seconds = 0.2


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what was sent, once it is whole."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(body.decode())(scope, receive, send)


@pytest.fixture(scope="module")
def hasty_port() -> Iterator[int]:
    listener = listening_socket("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    is_over = asyncio.Event()
    loop = asyncio.new_event_loop()
    serving = threading.Thread(
        target=loop.run_until_complete, args=(serve(echo, listener, is_over, HastyProtocol),)
    )
    serving.start()
    yield port
    loop.call_soon_threadsafe(is_over.set)
    serving.join()
    loop.close()


@pytest.mark.check("D18")
@pytest.mark.parametrize(
    "sent",
    [b"", b"POST", HEAD, HEAD + b"\r\n", HEAD + b"\r\na", HEAD + b"\r\nabPOST / HT"],
    ids=["nothing", "half a line", "half a head", "no body", "half a body", "half a second one"],
)
def test_a_request_that_is_never_whole_ends_its_connection(sent: bytes, hasty_port: int) -> None:
    answer = exchange(hasty_port, sent)

    assert answer.answer_count == sent.count(b"ab")


@pytest.mark.check("D18")
def test_a_kept_connection_may_rest_longer_than_a_request_may_take(hasty_port: int) -> None:
    with socket.create_connection(("127.0.0.1", hasty_port), LIMIT_SECONDS) as connection:
        ask(connection)
        connection.settimeout(2 * HastyProtocol.request_seconds)
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
