"""The connection under a request, for the faults that act on the socket itself."""

import asyncio
import socket
import struct

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_EXTENSION = "webex_oauth.emulator.connection"
_NO_LINGERING = struct.pack("ii", 1, 0)


class NoConnection(RuntimeError):
    """A fault that needs a real socket, in an application that runs without one."""


class Connection:
    """One TCP connection to the emulator."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_held = False
        """Whether a fault keeps this connection open, so that waiting for its end is useless."""

    @property
    def is_closing(self) -> bool:
        """Whether either side has begun to close."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Close after what was written has been sent."""
        self._transport.close()

    def reset(self) -> None:
        """Abort with a TCP RST, unless the client has gone."""
        if self.is_closing:
            return
        raw = self._transport.get_extra_info("socket")
        # A duplicate, because the loop's own socket object refuses options.
        with socket.fromfd(raw.fileno(), raw.family, raw.type) as duplicate:
            duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        self._transport.abort()

    def write(self, data: bytes) -> None:
        """Send bytes that need not be a well-formed answer."""
        self._transport.write(data)


class ConnectionProtocol(H11Protocol):
    """uvicorn's HTTP protocol, which also hands the connection to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own does
        """Begin to serve a connection."""
        super().connection_made(transport)
        connection = self._connection = Connection(transport)
        app = self.app

        async def with_connection(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[_EXTENSION] = connection
            await app(scope, receive, send)

        self.app = with_connection

    def shutdown(self) -> None:
        """Finish what is under way, but do not wait for what a fault keeps open."""
        if self._connection.is_held:
            self._connection.close()
        super().shutdown()


def connection_of(scope: Scope) -> Connection:
    """Return the connection of a request; raise `NoConnection` if there is none."""
    connection = scope.get("extensions", {}).get(_EXTENSION)
    if not isinstance(connection, Connection):
        raise NoConnection("this fault needs the emulator's own server: there is no socket here")
    return connection
