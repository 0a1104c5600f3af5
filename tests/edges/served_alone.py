"""Any ASGI application, served by the server that ships on a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp

from webex_oauth.web.listening import SHIPPED, UNREAD_SECONDS, Bounds, listening_socket
from webex_oauth.web.server import serve

SECONDS = 10


@dataclass(frozen=True, slots=True)
class Served:
    """A server at work, and the word that ends it."""

    port: int
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    thread: threading.Thread

    def begin_to_stop(self) -> None:
        """Tell it to stop, and wait until it has heard."""
        heard = threading.Event()
        self.loop.call_soon_threadsafe(self.stop.set)
        # Whoever waits for the event runs in the round after.
        self.loop.call_soon_threadsafe(self.loop.call_soon, self.loop.call_soon, heard.set)
        assert heard.wait(SECONDS)


@contextmanager
def served_alone(
    app: ASGIApp, bounds: Bounds = SHIPPED, *, unread_seconds: float = UNREAD_SECONDS
) -> Iterator[Served]:
    """Serve *app* for as long as the block lasts."""
    listener = listening_socket("127.0.0.1", 0, unread_seconds=unread_seconds)
    port, loop, stop = listener.getsockname()[1], asyncio.new_event_loop(), asyncio.Event()
    running = serve(app, listener, stop, bounds)
    thread = threading.Thread(target=loop.run_until_complete, args=(running,), name="served alone")
    thread.start()
    try:
        yield Served(port, loop, stop, thread)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(SECONDS)
        assert not thread.is_alive()
        loop.close()
