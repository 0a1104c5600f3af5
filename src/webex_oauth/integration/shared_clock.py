"""One clock for all machines: the store's, carried on between looks at it by one that never steps.

A local clock that is wrong, or that somebody sets, changes nothing.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from webex_oauth.errors import StoreError

LOOK_EVERY_SECONDS = 30.0
USEFUL_SECONDS = 0.5

log = logging.getLogger(__name__)

Teller: TypeAlias = Callable[[], Awaitable[float]]


class SharedClock:
    """Tell the store's time in whole seconds since 1970; `look` comes before the first reading."""

    def __init__(self, teller: Teller, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._teller = teller
        self._monotonic = monotonic
        self._ahead_seconds: float | None = None

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
        if self._ahead_seconds is None or answered_at - asked_at <= USEFUL_SECONDS:
            self._ahead_seconds = told - (asked_at + answered_at) / 2

    async def run(self) -> None:
        """Look again and again, for ever; what a look that fails leaves is still good."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                await self.look()
            except StoreError as error:
                log.warning("the clock was not set", extra={"error": type(error).__name__})
