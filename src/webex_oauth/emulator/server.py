"""The server: sockets for the two origins and uvicorn on each; in its own thread for tests."""

import asyncio
import errno
import ipaddress
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp

from webex_oauth.emulator.emulator import Emulator
from webex_oauth.emulator.fault_injection import Connection
from webex_oauth.emulator.origins import Origins

_BROKER_PORT = 8091
_BACKLOG = 512
# Any free port. One that is free at one address may be taken at the other: so many tries.
_FREE = [0] * 20
_GRACE_SECONDS = 1
_STOP_SECONDS = 10

_Address = tuple[int, str]


class BeyondLoopback(ValueError):
    """A request to listen where other machines could reach the emulator."""


class CannotListen(OSError):
    """An address that cannot be bound, or a host that is unknown."""

    def __init__(self, cause: OSError, host: str, port: int) -> None:
        named = f"[{host}]" if ":" in host else host
        address = host if isinstance(cause, socket.gaierror) else f"{named}:{port}"
        super().__init__(f"cannot listen on {address} ({cause.strerror})")
        self.cause = cause
        self.port = port


@dataclass(frozen=True, slots=True)
class Listeners:
    """The sockets of the front door and of the broker: bound, but deaf until `open`.

    An origin has several if its host has several addresses, as `localhost` has.
    """

    front_door: tuple[socket.socket, ...]
    broker: tuple[socket.socket, ...]
    origins: Origins
    """The origins at which they are reached."""

    def open(self) -> None:
        """Accept connections; raise `CannotListen` if another program took a port meanwhile."""
        for one in self._sockets:
            try:
                _permit_restart(one)
                one.listen(_BACKLOG)
            except OSError as cause:
                raise CannotListen(cause, *one.getsockname()[:2]) from cause

    def close(self) -> None:
        """Close all sockets."""
        for one in self._sockets:
            one.close()

    @property
    def _sockets(self) -> tuple[socket.socket, ...]:
        return (*self.front_door, *self.broker)


def bind(
    host: str = "127.0.0.1",
    port: int = 0,
    broker_port: int | None = None,
    *,
    allow_beyond_loopback: bool = False,
) -> Listeners:
    """Bind the front door at *port* and the broker at *broker_port*; 0 picks a free port.

    Without a *broker_port* the broker takes 8091, or a free port where 8091 is taken or the front
    door's port was not chosen either. Raise `BeyondLoopback` for an address that is not loopback,
    and `CannotListen` for one that cannot be bound.
    """
    addresses = _addresses(host)
    is_loopback = all(ipaddress.ip_address(address).is_loopback for _, address in addresses)
    if not is_loopback and not allow_beyond_loopback:
        raise BeyondLoopback(
            f"the emulator listens on loopback only, and {host!r} can be reached from elsewhere"
        )
    with ExitStack() as closing:
        front_door = _first_bound(closing, host, addresses, [port] if port else _FREE)
        if broker_port is None:
            ports = [_BROKER_PORT, *_FREE] if port else _FREE
        else:
            ports = [broker_port] if broker_port else _FREE
        broker = _first_bound(closing, host, addresses, ports)
        closing.pop_all()
        origins = Origins.at(_origin_of(front_door, host), _origin_of(broker, host))
        return Listeners(front_door, broker, origins)


def _addresses(host: str) -> list[_Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except UnicodeError as cause:
        unknown = socket.gaierror(socket.EAI_NONAME, "Not the name of a host")
        raise CannotListen(unknown, host, 0) from cause
    except OSError as cause:
        raise CannotListen(cause, host, 0) from cause
    return list(dict.fromkeys((int(family), str(address[0])) for family, *_, address in found))


def _first_bound(
    closing: ExitStack, host: str, addresses: list[_Address], ports: Sequence[int]
) -> tuple[socket.socket, ...]:
    """Bind the first of *ports* that is free at each address."""
    port, *others = ports
    try:
        bound = _bound(addresses, port)
    except OSError as cause:
        if others and cause.errno == errno.EADDRINUSE:
            return _first_bound(closing, host, addresses, others)
        raise CannotListen(cause, host, port) from cause
    for one in bound:
        closing.callback(one.close)
    return bound


def _origin_of(bound: tuple[socket.socket, ...], host: str) -> str:
    address, port = bound[0].getsockname()[:2]
    # No client can ask for 0.0.0.0.
    name = "localhost" if ipaddress.ip_address(address).is_unspecified else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def _bound(addresses: list[_Address], port: int) -> tuple[socket.socket, ...]:
    with ExitStack() as closing:
        bound: list[socket.socket] = []
        is_chosen = bool(port)
        for family, address in addresses:
            one = closing.enter_context(socket.socket(family, socket.SOCK_STREAM))
            if is_chosen:  # else the system might give out one free port twice
                _permit_restart(one)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address, port))
            # Accepted sockets inherit this. Without it the second write of an answer waits for an
            # acknowledgement that clients delay by 40 ms; asyncio sets it only on its own sockets.
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            port = one.getsockname()[1]
            bound.append(one)
        closing.pop_all()
        return tuple(bound)


def _permit_restart(one: socket.socket) -> None:
    """Let a port be bound again while connections of an earlier emulator fade away."""
    if os.name == "posix":  # elsewhere the option lets two programs share a port
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


async def serve(emulator: Emulator, listeners: Listeners, stop: asyncio.Event) -> None:
    """Serve until *stop* is set; then finish what is under way, for a second at most."""
    front_door, broker = (_server(one) for one in (emulator.front_door, emulator.broker))
    async with asyncio.TaskGroup() as origins:
        origins.create_task(front_door.serve(list(listeners.front_door)))
        origins.create_task(broker.serve(list(listeners.broker)))
        await stop.wait()
        front_door.should_exit = broker.should_exit = True


def _server(application: ASGIApp) -> uvicorn.Server:
    configuration = uvicorn.Config(
        application,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=30,
    )
    return _Server(configuration)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the caller."""
        yield


class RunningEmulator:
    """An emulator that runs from `with` to the end of its block; takes what `Emulator` takes."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        broker_port: int | None = None,
        **parts: Any,
    ) -> None:
        with ExitStack() as closing:
            self._listeners = bind(host, port, broker_port)
            closing.callback(self._listeners.close)
            self.emulator: Emulator = Emulator(self._listeners.origins, **parts)
            closing.pop_all()
        self.origin: str = self.emulator.origin
        """Where the front door is reached."""
        self.broker_origin: str = self.emulator.broker_origin
        """Where the identity broker is reached."""
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="webex-emulator", daemon=True)

    def __enter__(self) -> Self:
        """Start; a client may connect at once."""
        self._listeners.open()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait until everything is closed; raise `TimeoutError` if it does not end."""
        with suppress(RuntimeError):  # the server has ended by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            raise TimeoutError("the emulator did not stop in time")

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(serve(self.emulator, self._listeners, self._stop))
