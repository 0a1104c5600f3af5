"""The server: uvicorn, once for each of the two origins."""

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from webex_oauth.emulator.connection import ConnectionProtocol
from webex_oauth.emulator.emulator import Emulator
from webex_oauth.emulator.listening import Listener, Listeners

_GRACE_SECONDS = 1


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
