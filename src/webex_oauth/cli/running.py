"""What commands that serve share: event loop, signals, address."""

import asyncio
import errno
import gc
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from webex_oauth.cli.output import print_warnings
from webex_oauth.errors import ConfigurationError
from webex_oauth.ports import host_and_port
from webex_oauth.settings import Settings
from webex_oauth.web.listening import listening_socket

try:
    from uvloop import new_event_loop
except ImportError:  # it is made for POSIX alone
    from asyncio import new_event_loop  # type: ignore[assignment]

Result = TypeVar("Result")

NEIGHBOUR = (
    "another program listens on [::1]:{}, where browsers look for localhost first: stop it, or set "
    "PORT and the redirect URI to a free port"
)
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
GARBAGE_THRESHOLDS = (20_000, 20, 50)
LOOK_AGAIN_SECONDS = 0.1
_BIND_REMEDIES: Final[dict[int | None, str]] = {
    errno.EADDRINUSE: "stop what listens there, or set PORT to a free one",
    errno.EACCES: "set PORT to 1024 or above, where every user may listen",
}


def run(
    main: Coroutine[Any, Any, Result],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = new_event_loop,
) -> Result:
    """Run *main* and return its result."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(main)


def spare_collections() -> None:
    """Exclude what start-up made from garbage collection, and collect the rest less often.

    A request leaves no cycles behind, so collections find nothing; on a list of spaces they cost
    3 % of a busy server's processor time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def stop_on_signals(before_exit: Callable[[], None] = lambda: None) -> asyncio.Event:
    """Return an event that the first SIGINT or SIGTERM sets; the second ends the process.

    SIGHUP sets it too, which a terminal that closes sends, perhaps twice.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def note(number: int) -> None:
        if stop.is_set():
            before_exit()
            os._exit(128 + number)
        stop.set()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, note, number)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        loop.add_signal_handler(signal.SIGHUP, stop.set)
    return stop


def bind_failure(host: str, port: int, error: OSError) -> str:
    """Return why an address cannot be bound, and what to do."""
    remedy = _BIND_REMEDIES.get(error.errno, "set WEBEX_HOST to an address of this machine")
    return f"cannot listen on {host_and_port(host, port)} ({error.strerror}): {remedy}"


async def listen(host: str, port: int, wait_seconds: float = 0) -> socket.socket:
    """Bind the application's address; raise ConfigurationError if it stays taken."""
    loop = asyncio.get_running_loop()
    ends_at, has_warned = loop.time() + wait_seconds, False
    while True:
        try:
            return listening_socket(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or loop.time() >= ends_at:
                raise ConfigurationError([bind_failure(host, port, error)]) from error
        if not has_warned:
            place = host_and_port(host, port)
            print_warnings([f"{place} is taken; waiting up to {wait_seconds:.0f} seconds"])
            has_warned = True
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


def neighbour_warnings(settings: Settings) -> list[str]:
    """Return a warning if another program has the address that browsers try first for localhost."""
    is_localhost = urlsplit(settings.public_origin).hostname == "localhost"
    if not is_localhost or settings.host != "127.0.0.1":
        return []
    try:
        listening_socket("::1", settings.port).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return [NEIGHBOUR.format(settings.port)]
    return []
