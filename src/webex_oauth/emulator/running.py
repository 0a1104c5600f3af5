"""A running emulator: one in a thread of its own, for tests and examples."""

import asyncio
import threading
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from webex_oauth.emulator.emulator import Emulator
from webex_oauth.emulator.listening import listen
from webex_oauth.emulator.server import serve

_START_SECONDS = 10
_STOP_SECONDS = 10


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
        self._thread = threading.Thread(target=self._run, name="webex-emulator", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._is_started = threading.Event()

    @property
    def origin(self) -> str:
        """Where the front door is reached."""
        return self.emulator.origin

    @property
    def broker_origin(self) -> str:
        """Where the identity broker is reached."""
        return self.emulator.broker_origin

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
