"""One clock for all machines: the store's, extrapolated between readings by a monotonic one.

Setting the local clock, or its being wrong, changes nothing. The store's own clock may be set, too.
A step back ends nothing, so it is followed at once. A large step ahead would end sessions and
tokens, so it is followed only after it has lasted for HOLD_SECONDS.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from webex_oauth.errors import StoreError

LOOK_EVERY_SECONDS = 30.0
USEFUL_SECONDS = 0.5
LARGE_STEP_SECONDS = 60.0
HOLD_SECONDS = 900.0
STEADY_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

log = logging.getLogger(__name__)


def steady_seconds() -> float:
    """Read a clock that cannot be set; where the system has one, it also counts suspended time."""
    return time.clock_gettime(STEADY_CLOCK)


class _Step(NamedTuple):
    """A step ahead that is not followed yet."""

    ahead_seconds: float
    since: float


class SharedClock:
    """The store's time in whole seconds since 1970; `look` comes before the first reading."""

    def __init__(
        self,
        store_time: Callable[[], Awaitable[float]],
        monotonic: Callable[[], float] = steady_seconds,
    ) -> None:
        self._store_time = store_time
        self._monotonic = monotonic
        self._ahead_seconds: float | None = None
        self._held: _Step | None = None

    def __call__(self) -> int:
        if self._ahead_seconds is None:
            raise RuntimeError("the shared clock was not set yet")
        return int(self._monotonic() + self._ahead_seconds)

    async def look(self) -> None:
        """Set this clock by the store's; raise StoreUnavailable.

        A slow answer is an inexact reading, used only if there is no other.
        """
        asked_at = self._monotonic()
        told = await self._store_time()
        answered_at = self._monotonic()
        ahead_seconds = told - (asked_at + answered_at) / 2
        if self._ahead_seconds is None:
            self._ahead_seconds = ahead_seconds
        elif answered_at - asked_at <= USEFUL_SECONDS:
            self._ahead_seconds = self._judge(self._ahead_seconds, ahead_seconds, answered_at)

    async def run(self) -> None:
        """Look every LOOK_EVERY_SECONDS; if a look fails, the clock is still good."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                await self.look()
            except StoreError as error:
                log.warning("the store's clock could not be read: %(error)s", {"error": str(error)})

    def _judge(self, trusted: float, told: float, at: float) -> float:
        """Return how far ahead of the monotonic clock this one shall be."""
        step_seconds = told - trusted
        if step_seconds <= LARGE_STEP_SECONDS:
            self._log_end(step_seconds)
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

    def _log_end(self, step_seconds: float) -> None:
        if self._held is not None:
            self._held = None
            log.info("the store's clock is right again")
        if step_seconds < -LARGE_STEP_SECONDS:
            log.warning(
                "the store's clock stepped back by %(step_seconds)s s and is followed: check "
                "the clock of the machine that keeps the store, and that it is set by NTP",
                {"step_seconds": round(step_seconds)},
            )
