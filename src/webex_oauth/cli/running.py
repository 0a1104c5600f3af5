"""Run a server from the command line: until a signal, or until it cannot start."""

import asyncio
import errno
import gc
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import uvloop

from webex_oauth.cli.environment import print_warnings
from webex_oauth.errors import ConfigurationError
from webex_oauth.settings import Settings
from webex_oauth.web.listening import listening_socket

Result = TypeVar("Result")
T = TypeVar("T")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
GARBAGE_THRESHOLDS = (20_000, 20, 50)
LOOK_AGAIN_SECONDS = 0.1
_BIND_REMEDIES: Final[dict[int | None, str]] = {
    errno.EADDRINUSE: "stop what listens there, or set PORT to a free one",
    errno.EACCES: "set PORT to one from 1024 on, which every user may listen on",
}


def run(
    main: Coroutine[Any, Any, Result],
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop,
) -> Result:
    """Run *main* and return its result."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)


def spare_collections() -> None:
    """Leave out of garbage collection what start-up made, and collect the rest less often.

    A request leaves no cycles behind, so collections find nothing; on a list of spaces they cost
    3 % of a busy server's processor time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def stop_on_signals(before_exit: Callable[[], None] = lambda: None) -> asyncio.Event:
    """Set the event at the first SIGINT or SIGTERM; end the process at the second."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def note(number: int) -> None:
        if stop.is_set():
            before_exit()
            os._exit(128 + number)
        stop.set()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, note, number)
    return stop


def unbindable(host: str, port: int, error: OSError) -> str:
    """Say that the application's address cannot be bound, and what to do."""
    remedy = _BIND_REMEDIES.get(error.errno, "set WEBEX_HOST to an address of this machine")
    return f"cannot listen on {host}:{port} ({error.strerror}): {remedy}"


async def listen(settings: Settings, wait_seconds: float = 0) -> socket.socket:
    """Bind the application's address; raises ConfigurationError when it stays taken."""
    host, port = settings.host, settings.port
    loop = asyncio.get_running_loop()
    ends_at, is_told = loop.time() + wait_seconds, False
    while True:
        try:
            return listening_socket(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or loop.time() >= ends_at:
                raise ConfigurationError([unbindable(host, port, error)]) from error
        if not is_told:
            print_warnings([f"{host}:{port} is taken; waiting {wait_seconds:.0f} seconds for it"])
            is_told = True
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
