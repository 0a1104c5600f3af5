"""Bytes on a socket: what no well-behaved client would send."""

import re
import socket
from dataclasses import dataclass

from waiting import LIMIT_SECONDS

STATUS_LINE = re.compile(rb"HTTP/1\.1 \d{3} ")


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """Everything that came until the server closed; `head` is the first answer's, in lower case."""

    octets: bytes

    @property
    def status(self) -> int:
        """The first answer's status; 0 when there was no answer."""
        line = self.octets.partition(b"\r\n")[0].split()
        return int(line[1]) if len(line) > 1 else 0

    @property
    def statuses(self) -> list[int]:
        """The status of each answer."""
        return [int(line.split()[1]) for line in STATUS_LINE.findall(self.octets)]

    @property
    def head(self) -> bytes:
        return self.octets.partition(b"\r\n\r\n")[0].lower()

    @property
    def body(self) -> bytes:
        return self.octets.partition(b"\r\n\r\n")[2]

    @property
    def answer_count(self) -> int:
        """How many answers came."""
        return len(STATUS_LINE.findall(self.octets))


def exchange(port: int, *pieces: bytes) -> RawAnswer:
    """Send *pieces* one after another, then read until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has refused already; its answer says why
        return RawAnswer(_read_all(connection))


def _read_all(connection: socket.socket) -> bytes:
    received = bytearray()
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return bytes(received)
        if not piece:
            return bytes(received)
        received += piece
