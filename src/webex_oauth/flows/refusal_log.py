"""The log of refused requests, in the application and in every door."""

import logging
import secrets
import threading
import time
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
        count = self._count(kind)
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
            closing = threading.Timer(WINDOW_SECONDS, self._close_window, [kind])
            closing.daemon = True
            closing.start()

    def _count(self, kind: str) -> int:
        """Return how many requests of this kind were refused in this second."""
        now = time.monotonic()
        with self._lock:
            began_at, count = self._windows.get(kind, (now, 0))
            # One that is beyond the bound ends when its number is logged.
            if count <= MAX_EVENTS and now - began_at >= WINDOW_SECONDS:
                began_at, count = now, 0
            self._windows[kind] = began_at, count + 1
            return count + 1

    def _close_window(self, kind: str) -> None:
        with self._lock:
            _, count = self._windows.pop(kind)
        log.warning(
            "and %(count)s more requests refused in that second (%(failure)s)",
            {"failure": kind, "count": count - MAX_EVENTS},
        )


def new_reference() -> str:
    """Return what ties an answer to its event in the log."""
    return secrets.token_hex(REFERENCE_BYTES)
