"""What the server lets its peers take, and the socket that they connect to."""

import socket
from typing import Final

from msgspec import Struct

MAX_CONNECTIONS: Final = 4096
HEAD_SECONDS: Final = 20
BACKLOG: Final = 1024
UNREAD_SECONDS: Final = 20
"""How long a peer may leave what was sent to it unread."""

UNSENT_BYTES: Final = 8 * 1024
"""How much may wait for a peer before the application has to wait too."""


class Bounds(Struct, frozen=True):
    """What peers may take of a server, and how long its shutdown may last.

    A head must be whole within *head_seconds*; a connection may be idle for *idle_seconds*. A
    server that stops accepts connections for *accepting_seconds* more, keeps idle ones for
    *parting_seconds*, and waits *drain_seconds* for answers under way.
    """

    connections: int = MAX_CONNECTIONS
    head_seconds: float = HEAD_SECONDS
    idle_seconds: int = 30
    accepting_seconds: float = 1
    parting_seconds: int = 1
    drain_seconds: int = 20


SHIPPED: Final = Bounds()


def listening_socket(
    host: str, port: int, *, unread_seconds: float = UNREAD_SECONDS
) -> socket.socket:
    """Bind *host* and *port*; raises OSError.

    The system hangs up on a peer that leaves its answers unread for *unread_seconds* (on Linux).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it answers wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bound_unread(listener, unread_seconds)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _bound_unread(listener: socket.socket, seconds: float) -> None:
    """Bound what the system keeps for a peer that does not read, in octets and in time.

    Accepted sockets inherit both. No timer of ours could see what the system has sent.
    """
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
