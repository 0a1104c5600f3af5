"""The socket that browsers connect to, and what the system may keep for those that do not read."""

import socket
from typing import Final

BACKLOG: Final = 1024
UNREAD_SECONDS: Final = 20
"""How long a peer may leave what was sent to it unread."""

UNSENT_BYTES: Final = 8 * 1024
"""How much may wait for a peer before the application has to wait too."""


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
