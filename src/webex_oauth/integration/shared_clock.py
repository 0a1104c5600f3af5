"""One clock for all machines: the store's, carried on between looks at it by one that never steps.

A local clock that is wrong, or that somebody sets, changes nothing. The store's own clock may be
set as well. A step back ends nothing, so it is followed at once. A large step ahead would end
sessions and tokens, so it is followed only after it has lasted for HOLD_SECONDS.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from webex_oauth.errors import StoreError

LOOK_EVERY_SECONDS = 30.0
USEFUL_SECONDS = 0.5
LARGE_STEP_SECONDS = 60.0
HOLD_SECONDS = 900.0

log = logging.getLogger(__name__)

Teller: TypeAlias = Callable[[], Awaitable[float]]


def steady_seconds() -> float:
    """Read a clock that nobody sets; it counts the time a machine sleeps where the system can."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True)
class _Step:
    """A step ahead that is not followed yet: where the store's clock stands, and since when."""

    ahead_seconds: float
    since: float


class SharedClock:
    """Tell the store's time in whole seconds since 1970; `look` comes before the first reading."""

    def __init__(self, teller: Teller, monotonic: Callable[[], float] = steady_seconds) -> None:
        self._teller = teller
        self._monotonic = monotonic
        self._ahead_seconds: float | None = None
        self._held: _Step | None = None

    def __call__(self) -> int:
        """Tell the time."""
        if self._ahead_seconds is None:
            raise RuntimeError("the shared clock was not set yet")
        return int(self._monotonic() + self._ahead_seconds)

    async def look(self) -> None:
        """Set this clock by the store's; raises StoreUnavailable.

        An answer that took long tells the time badly, and is used only when there is no other.
        """
        asked_at = self._monotonic()
        told = await self._teller()
        answered_at = self._monotonic()
        ahead_seconds = told - (asked_at + answered_at) / 2
        if self._ahead_seconds is None:
            self._ahead_seconds = ahead_seconds
        elif answered_at - asked_at <= USEFUL_SECONDS:
            self._ahead_seconds = self._judge(self._ahead_seconds, ahead_seconds, answered_at)

    async def run(self) -> None:
        """Look again and again, for ever; what a look that fails leaves is still good."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                await self.look()
            except StoreError as error:
                log.warning(
                    "the clock was not set by the store's: %(error)s",
                    {"error": str(error) or type(error).__name__},
                )

    def _judge(self, trusted: float, told: float, at: float) -> float:
        """Return how far ahead of the monotonic clock this one is from now on."""
        step_seconds = told - trusted
        if step_seconds <= LARGE_STEP_SECONDS:
            self._tell_end(step_seconds)
            return told
        held = self._held
        if held is None or abs(told - held.ahead_seconds) > LARGE_STEP_SECONDS:
            self._held = _Step(told, since=at)
            log.warning(
                "the store's clock stepped %(step_seconds)s s ahead and is not followed for "
                "%(followed_after)s s: check the clock of the machine that keeps the store, "
                "and that it is set by NTP",
                {"step_seconds": round(step_seconds), "followed_after": HOLD_SECONDS},
            )
            return trusted
        if at - held.since < HOLD_SECONDS:
            return trusted
        self._held = None
        log.warning(
            "the store's clock stayed %(step_seconds)s s ahead and is followed now: if that "
            "is wrong, set the clock of the machine that keeps the store right",
            {"step_seconds": round(step_seconds)},
        )
        return told

    def _tell_end(self, step_seconds: float) -> None:
        if self._held is not None:
            self._held = None
            log.info("the store's clock is right again")
        if step_seconds < -LARGE_STEP_SECONDS:
            log.warning(
                "the store's clock stepped back by %(step_seconds)s s and is followed: check "
                "the clock of the machine that keeps the store, and that it is set by NTP",
                {"step_seconds": round(step_seconds)},
            )
