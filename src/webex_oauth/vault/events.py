"""Events: what became of grants and sessions, written in one change with what they tell of.

The events of one change are one row. Its number is its instant and 32 bits, random and growing in
each process: rows are in order without a counter that all writers would share. But those of one
second are mixed among processes, and a row may become visible a little later than its number says.
An event's id is the number of its row and its place in it.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

EventKind: TypeAlias = Literal[
    "grant.created",
    "grant.refreshed",
    "grant.reauth_required",
    "grant.revoked",
    "session.started",
    "session.ended",
    "sign_in.failed",
]

KEPT_SECONDS = 90 * 86_400
FAILURE_KEPT_SECONDS = 86_400
"""Anybody can make a sign-in fail."""
MOST_RUNNING = 1_000
GRACE_SECONDS = 5.0
MOST_IN_ROW = 16
"""The numbers of rows are that far apart."""
RANDOM_BITS = 32
NAME_BYTES = 8
LAST_INSTANT = (1 << (8 * NAME_BYTES - RANDOM_BITS)) - 1

log = logging.getLogger(__name__)


class Event(Struct, frozen=True):
    """Something that happened to a person's grant or session.

    `id` orders events. `person_id` is the id that Webex's API shows, empty if it is not known.
    `reason` is a word for programs, None if there is nothing to add.
    """

    id: int
    kind: EventKind
    person_id: str
    at: int
    reason: str | None = None


Told: TypeAlias = tuple[EventKind, str, str | None]
"""What an event says: its kind, person_id and reason."""


class Happened(Struct, frozen=True, array_like=True):
    """The events of a row, at most MOST_IN_ROW of them."""

    at: int
    told: tuple[Told, ...]

    @property
    def kept_until(self) -> int:
        """When it may be removed."""
        is_failure = all(kind == "sign_in.failed" for kind, _, _ in self.told)
        return self.at + (FAILURE_KEPT_SECONDS if is_failure else KEPT_SECONDS)

    def events(self, number: int) -> list[Event]:
        """Return the events of the row of that number."""
        return [
            Event(event_id, kind, person_id, self.at, reason)
            for event_id, (kind, person_id, reason) in enumerate(self.told, start=number)
        ]


def first_id(instant: int) -> int:
    """Return the id that no event of that second is below, nor of a later one."""
    return min(max(0, instant), LAST_INSTANT) << RANDOM_BITS


Listener: TypeAlias = Callable[[Event], object]
"""Hears of an event; what it returns is awaited if that is possible."""


class Hub:
    """Tell the listeners of this process what this process caused, after it was written.

    Each listener runs in a task of its own: it delays and breaks nothing.
    """

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self._running: set[asyncio.Task[None]] = set()

    def tell(self, event: Event) -> None:
        """Start the listeners; beyond MOST_RUNNING that run, an event is logged and not heard."""
        for listener in self.listeners:
            if len(self._running) >= MOST_RUNNING:
                log.error("listeners are too slow: one missed %(kind)s", {"kind": event.kind})
                continue
            running = asyncio.create_task(_call(listener, event))
            self._running.add(running)
            running.add_done_callback(self._running.discard)

    async def close(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Let the listeners that run end within *grace_seconds*, then cancel them."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace_seconds)
            for running in late:
                running.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _call(listener: Listener, event: Event) -> None:
    try:
        heard = listener(event)
        if inspect.isawaitable(heard):
            await heard
    except Exception:
        # The edge of a task: it is the caller's own code.
        log.exception("a listener of %(kind)s failed", {"kind": event.kind})
