"""Peers that take and do not give: they say nothing, send half, send by octets, or read nothing."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

SECONDS = 30
PAUSE_SECONDS = 0.25
SMALLEST_WINDOW_BYTES = 2304


@dataclass(frozen=True, slots=True)
class Kind:
    """What a peer sends at first and then again and again, and whether it reads."""

    name: str
    first: bytes
    next: bytes = b""
    is_reading: bool = True


def kinds(port: int) -> Sequence[Kind]:
    """Return every kind there is, for an application that *port* is public for."""
    host = b"host: localhost:%d\r\n" % port
    form = b"POST /login HTTP/1.1\r\n" + host + b"content-length: 2\r\n"
    body = form + b"content-type: application/x-www-form-urlencoded\r\n\r\n"
    return (
        Kind("silent", b""),
        Kind("half a head", form),
        Kind("a head by octets", b"GET / HTTP/1.1\r\n", b"a"),
        Kind("no body", body),
        Kind("half a body", body + b"a"),
        Kind("reads nothing", (b"GET / HTTP/1.1\r\n" + host + b"\r\n") * 200, b"\r\n", False),
    )


@dataclass
class Peers:
    """So many peers of each kind at once; `left_by_kind` says how many still have a connection."""

    port: int
    connections: dict[Kind, list[socket.socket]] = field(default_factory=dict)
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def left_by_kind(self) -> dict[str, int]:
        """Those that were not cut off yet, without the kinds of which nobody is left."""
        return {kind.name: len(those) for kind, those in self.connections.items() if those}

    def come(self, some: Sequence[Kind], count_of_each: int) -> None:
        """Connect."""
        for kind in some:
            self.connections[kind] = [self._connect(kind) for _ in range(count_of_each)]

    def go_on_until_over(self) -> None:
        """Send what is next, and let those go that the server has hung up on."""
        for _ in count():
            if self.is_over.wait(PAUSE_SECONDS):
                return
            for kind in self.connections:
                self.connections[kind] = list(_left(kind, self.connections[kind]))

    def close(self) -> None:
        """Hang up."""
        for connection in (one for those in self.connections.values() for one in those):
            connection.close()

    def _connect(self, kind: Kind) -> socket.socket:
        connection = socket.socket()
        if not kind.is_reading:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST_WINDOW_BYTES)
        connection.settimeout(SECONDS)
        connection.connect(("127.0.0.1", self.port))
        connection.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            connection.send(kind.first)
        return connection


def _left(kind: Kind, connections: Sequence[socket.socket]) -> Iterator[socket.socket]:
    """Take the next step with each connection; give those that the server still has."""
    for connection in connections:
        if _is_alive(kind, connection):
            yield connection
        else:
            connection.close()


def _is_alive(kind: Kind, connection: socket.socket) -> bool:
    try:
        connection.send(kind.next)
        return not kind.is_reading or connection.recv(65536) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


@contextlib.contextmanager
def taking(port: int, some: Sequence[Kind], count_of_each: int) -> Iterator[Peers]:
    """Make peers take what they can for as long as the block lasts."""
    peers = Peers(port)
    thread = threading.Thread(target=peers.go_on_until_over, name="peers")
    try:
        peers.come(some, count_of_each)
        thread.start()
        yield peers
    finally:
        peers.is_over.set()
        if thread.ident is not None:
            thread.join(SECONDS)
        peers.close()


def pour_pipelined(port: int, request: bytes, seconds: float) -> tuple[int, int]:
    """Send *request* over and over on one connection, and read; return the octets of both."""
    sent_bytes = received_bytes = 0
    octets, ends_at = memoryview(request * 1_000), time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.setblocking(False)
        while time.monotonic() < ends_at:
            readable, writable, _ = select.select([connection], [connection], [], seconds)
            if readable:
                received_bytes += len(connection.recv(65536))
            if writable:
                sent_bytes += connection.send(octets[sent_bytes % len(octets) :])
    return sent_bytes, received_bytes
