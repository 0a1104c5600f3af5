"""The end of a server: whoever is connected gets their answer, and is told that it is the last."""

import asyncio
import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from edges.served_alone import SECONDS, Served, served_alone
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from webex_oauth.web.connection import BoundedHttpProtocol
from webex_oauth.web.listening import SHIPPED, Bounds, listening_socket
from webex_oauth.web.server import DrainingServer


@dataclass(frozen=True, slots=True)
class Ending:
    """A server that can be told to stop while one of its answers is held back."""

    served: Served
    go_on: threading.Event
    exits: contextlib.ExitStack

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=SECONDS)
        connection.connect()
        self.exits.callback(connection.close)
        return connection


def ask(connection: http.client.HTTPConnection, path: str = "/") -> str | None:
    """Send a request on this very connection; return what the answer says of the connection."""
    assert connection.sock is not None
    connection.request("GET", path)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, path.encode())
    return answer.getheader("connection")


async def say_path(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the path."""
    await PlainTextResponse(scope["path"])(scope, receive, send)


@pytest.fixture
def ending(request: pytest.FixtureRequest) -> Iterator[Ending]:
    """Run a server whose last moments last as long as the test says."""
    bounds: Bounds = getattr(request, "param", SHIPPED)
    go_on = threading.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await asyncio.to_thread(go_on.wait, SECONDS)
        await say_path(scope, receive, send)

    with served_alone(application, bounds) as served:
        with contextlib.ExitStack() as exits:
            yield Ending(served, go_on, exits)
        go_on.set()


@pytest.mark.check("H08")
def test_a_kept_connection_may_be_used_once_more(ending: Ending) -> None:
    connection = ending.connect()
    said_before = ask(connection)

    ending.served.begin_to_stop()
    said_then = ask(connection)

    assert (said_before, said_then) == (None, "close")


@pytest.mark.check("H08")
def test_a_new_connection_is_taken_for_a_moment(ending: Ending) -> None:
    ending.served.begin_to_stop()

    said = ask(ending.connect())

    assert said == "close"


@pytest.mark.check("H08")
def test_what_is_under_way_is_finished_and_says_that_it_was_the_last(ending: Ending) -> None:
    connection = ending.connect()
    connection.request("GET", "/slow")
    ask(ending.connect())

    ending.served.begin_to_stop()
    ending.go_on.set()
    answer = connection.getresponse()

    assert (answer.status, answer.getheader("connection")) == (200, "close")


@pytest.mark.check("H08")
@pytest.mark.parametrize("ending", [Bounds(accepting_seconds=3, parting_seconds=1)], indirect=True)
def test_a_connection_that_is_not_used_again_ends_after_a_moment(ending: Ending) -> None:
    used, never_used = ending.connect(), ending.connect()
    ask(used)

    began_at = time.monotonic()
    ending.served.begin_to_stop()
    ends = [connection.sock.recv(1) for connection in (used, never_used)]
    took_seconds = time.monotonic() - began_at

    assert ends == [b"", b""]
    assert 0.9 < took_seconds < 2.5


@pytest.mark.check("H08")
def test_half_a_request_may_become_a_whole_one(ending: Ending) -> None:
    with socket.create_connection(("127.0.0.1", ending.served.port), SECONDS) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n")
        ask(ending.connect())
        ending.served.begin_to_stop()
        ending.served.thread.join(1.5)
        connection.sendall(b"\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()

        assert (answer.status, answer.getheader("connection")) == (200, "close")
        answer.close()


@pytest.mark.check("H08")
def test_a_connection_in_the_backlog_is_answered_when_the_server_closes() -> None:
    listener = listening_socket("127.0.0.1", 0)
    with socket.create_connection(listener.getsockname(), SECONDS) as waiting:
        waiting.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")

        asyncio.run(shut_down(listener))
        answer = http.client.HTTPResponse(waiting)
        answer.begin()

        assert (answer.status, answer.getheader("connection")) == (200, "close")


async def shut_down(listener: socket.socket) -> None:
    """End a server that never came to take anybody from its queue."""
    config = uvicorn.Config(
        say_path, http=BoundedHttpProtocol, ws="none", lifespan="off", log_config=None
    )
    config.load()
    server = DrainingServer(config, SHIPPED)
    server.lifespan, server.servers = config.lifespan_class(config), []
    server.shared_state.is_draining = True
    await server.shutdown([listener])
