"""The server: uvicorn, once for each of the two origins; in a thread of its own for tests."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp

from webex_oauth.emulator.connection import ConnectionProtocol
from webex_oauth.emulator.emulator import Emulator
from webex_oauth.emulator.listening import Listener, Listeners, listen

_GRACE_SECONDS = 1
_START_SECONDS = 10
_STOP_SECONDS = 10


async def serve(emulator: Emulator, listeners: Listeners, stop: asyncio.Event) -> None:
    """Serve until *stop* is set; then finish what is under way, for a second at most."""
    async with asyncio.TaskGroup() as origins:
        origins.create_task(_serve_one(emulator.front_door, listeners.front_door, stop))
        origins.create_task(_serve_one(emulator.broker, listeners.broker, stop))


async def _serve_one(application: ASGIApp, listener: Listener, stop: asyncio.Event) -> None:
    server = _Server(_configuration(application))
    waiting = asyncio.create_task(_stop_when_set(server, stop))
    try:
        await server.serve(sockets=list(listener.sockets))
    finally:
        waiting.cancel()


def _configuration(application: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=ConnectionProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=30,
    )


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the caller."""
        yield


async def _stop_when_set(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


class RunningEmulator:
    """Run an emulator from `with` to the end of its block; takes what `Emulator` takes."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        broker_port: int | None = None,
        **parts: Any,
    ) -> None:
        with ExitStack() as closing:
            self._listeners = listen(host, port, broker_port)
            closing.callback(self._listeners.close)
            self.emulator = Emulator(self._listeners.origins, **parts)
            closing.pop_all()
        self.origin = self.emulator.origin
        """Where the front door is reached."""
        self.broker_origin = self.emulator.broker_origin
        """Where the identity broker is reached."""
        self._thread = threading.Thread(target=self._run, name="webex-emulator", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._is_started = threading.Event()

    def __enter__(self) -> Self:
        """Start; the sockets are bound already, so that a client may connect at once."""
        self._thread.start()
        if not self._is_started.wait(_START_SECONDS):
            raise TimeoutError("the emulator did not start in time")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, and wait until everything is closed; raise `TimeoutError` if it does not end."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            raise TimeoutError("the emulator did not stop in time")

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_started.set()
        await serve(self.emulator, self._listeners, self._stop)
