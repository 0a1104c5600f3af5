"""The log of refused requests, in the application and in every door."""

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

log = logging.getLogger(__name__)

MAX_EVENTS: Final = 20
"""How many events of one kind are written in one second."""

WINDOW_SECONDS: Final = 1.0
REFERENCE_BYTES: Final = 5


class RefusalLog:
    """The log of refusals: one event for each, and at most MAX_EVENTS of a kind in a second.

    Strangers cause these events, and must not fill a disk. Those beyond the bound are counted, and
    their number is logged when the second is over. Any thread may use it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[float, int]] = {}

    def note(
        self,
        kind: str,
        reason: str,
        *,
        peer: str,
        reference: str = "none",
        exc_info: BaseException | None = None,
        **facts: object,
    ) -> None:
        """Write that a request from the address *peer* was refused.

        *kind* is one of our own words, never text of the peer; *reference* is what the answer
        shows, *facts* are further fields.
        """
        began_at, count, uncounted = self._count(kind)
        self._tell_count(kind, uncounted)
        if count <= MAX_EVENTS:
            log.warning(
                "request refused (%(failure)s): %(reason)s; from %(peer)s; reference %(reference)s",
                {
                    "failure": kind,
                    "reason": reason,
                    "peer": peer,
                    "reference": reference,
                    **facts,
                },
                exc_info=exc_info,
            )
        elif count == MAX_EVENTS + 1:
            _later(partial(self._close_window, kind, began_at))

    def _count(self, kind: str) -> tuple[float, int, int]:
        """Return when this second began, how many of its requests were refused, and of the last.

        The last are those of an earlier second whose number is still to be logged.
        """
        now = time.monotonic()
        with self._lock:
            began_at, count = self._windows.get(kind, (now, 0))
            uncounted = 0
            # One beyond the bound is closed by then, unless the loop that should do it has ended.
            patience = WINDOW_SECONDS if count <= MAX_EVENTS else 2 * WINDOW_SECONDS
            if now - began_at >= patience:
                began_at, count, uncounted = now, 0, count - MAX_EVENTS
            self._windows[kind] = began_at, count + 1
            return began_at, count + 1, uncounted

    def _close_window(self, kind: str, began_at: float) -> None:
        with self._lock:
            if self._windows.get(kind, (0.0, 0))[0] != began_at:
                return
            _, count = self._windows.pop(kind)
        self._tell_count(kind, count - MAX_EVENTS)

    def _tell_count(self, kind: str, count: int) -> None:
        if count > 0:
            log.warning(
                "and %(count)s more requests refused in that second (%(failure)s)",
                {"failure": kind, "count": count},
            )


def _later(close: Callable[[], None]) -> None:
    """Call *close* when the second is over; a thread does it where no loop runs."""
    try:
        asyncio.get_running_loop().call_later(WINDOW_SECONDS, close)
    except RuntimeError:
        closing = threading.Timer(WINDOW_SECONDS, close)
        closing.daemon = True
        closing.start()


def new_reference() -> str:
    """Return what ties an answer to its event in the log."""
    return secrets.token_hex(REFERENCE_BYTES)
