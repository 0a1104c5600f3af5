"""Run a server from the command line: until a signal, or until it cannot start."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from webex_oauth.cli.environment import print_mistakes
from webex_oauth.errors import ConfigurationError, WebexOAuthError

Result = TypeVar("Result")
T = TypeVar("T")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
GARBAGE_THRESHOLDS = (20_000, 20, 50)


def run(
    main: Coroutine[Any, Any, Result],
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop,
) -> Result:
    """Run *main* and give its result; where it cannot start, print why and exit with 1."""
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(main)
    except ConfigurationError as error:
        print_mistakes(error.mistakes)
        sys.exit(1)
    except (WebexOAuthError, OSError) as error:
        print_mistakes((str(error),))
        sys.exit(1)


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
