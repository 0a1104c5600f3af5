"""The server: bind first, so that the port is known; never beyond loopback unless told so."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn

from webex_oauth.emulator.connection import ConnectionProtocol
from webex_oauth.emulator.emulator import Emulator

_BACKLOG = 512
_GRACE_SECONDS = 1


class BeyondLoopback(ValueError):
    """A wish to listen where other machines could reach the emulator."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket, and the origin at which it is reached."""

    socket: socket.socket
    origin: str


def listen(
    host: str = "127.0.0.1", port: int = 0, *, allow_beyond_loopback: bool = False
) -> Listener:
    """Bind a socket; port 0 picks a free one.

    Raise `BeyondLoopback` for an address that is not loopback, and `OSError` when the port is
    taken or the host is unknown.
    """
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    if not ipaddress.ip_address(address[0]).is_loopback and not allow_beyond_loopback:
        raise BeyondLoopback(
            f"the emulator listens on loopback only, and {host!r} can be reached from elsewhere"
        )
    bound = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    # Accepted sockets inherit this. Without it the second write of an answer waits for an
    # acknowledgement that clients delay by 40 ms; asyncio sees to it only on sockets of its own.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Listener(bound, _origin(host, bound.getsockname()[1]))


async def serve(emulator: Emulator, listener: Listener, stop: asyncio.Event) -> None:
    """Serve until *stop* is set; then finish what is under way, for a second at most."""
    server = build_server(emulator)
    waiting = asyncio.create_task(_stop_when_set(server, stop))
    try:
        await server.serve(sockets=[listener.socket])
    finally:
        waiting.cancel()


def build_server(emulator: Emulator) -> uvicorn.Server:
    """Build a uvicorn server that leaves signals to its caller."""
    config = uvicorn.Config(
        emulator.app,
        http=ConnectionProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=30,
    )
    return _Server(config)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _stop_when_set(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


def _origin(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
