"""The sweeper: removes what is over, a batch at a time, and only by a clock that has proved steady.

What is removed cannot be brought back, so one reading of a clock is not enough: the clock must have
run for WITNESS_SECONDS without a step, as long as this process has watched it, and what goes was
over by then. Sessions that are over end after SESSION_WITNESS_SECONDS already, and the grant of a
person with the last of them, unless grants are kept.
"""

import asyncio
import logging
from collections.abc import Callable

from webex_oauth.errors import StoreError
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.sessions import Sessions
from webex_oauth.ports import Sleep
from webex_oauth.vault.grants import LONGEST_WAIT_SECONDS

SWEEP_EVERY_SECONDS = 300.0
WITNESS_SECONDS = 6 * 3600
SESSION_WITNESS_SECONDS = 900
SESSION_BATCH = 100
LARGE_STEP_SECONDS = 60

log = logging.getLogger(__name__)


class Sweeper:
    """Sweep the store every few minutes, until nothing that is over is left."""

    def __init__(
        self,
        context: FlowContext,
        sessions: Sessions,
        *,
        monotonic: Callable[[], float],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._context = context
        self._sessions = sessions
        self._sleep = sleep
        self._monotonic = monotonic
        self._steady_since = monotonic()
        self._ahead_seconds = context.clock() - self._steady_since

    async def run(self) -> None:
        """Sweep for ever; a store that cannot answer is left until the next time."""
        while True:
            await self._sleep(SWEEP_EVERY_SECONDS)
            try:
                await self._mend_waits()
                steady_seconds = self._steady_seconds()
                if steady_seconds >= SESSION_WITNESS_SECONDS:
                    while await self._end_sessions():
                        await self._sleep(0)
                if steady_seconds >= WITNESS_SECONDS:
                    while await self._sweep():
                        await self._sleep(0)
            except StoreError as error:
                log.warning(
                    "removing what is over failed and is tried again: %(error)s",
                    {"error": str(error) or type(error).__name__},
                )

    def _steady_seconds(self) -> float:
        """Return for how long the clock has not stepped."""
        at = self._monotonic()
        ahead_seconds = self._context.clock() - at
        if abs(ahead_seconds - self._ahead_seconds) > LARGE_STEP_SECONDS:
            log.warning(
                "the clock stepped: nothing is removed before it has been steady for "
                "%(steady_seconds)s s",
                {"steady_seconds": WITNESS_SECONDS},
            )
            self._steady_since = at
        self._ahead_seconds = ahead_seconds
        return at - self._steady_since

    async def _mend_waits(self) -> None:
        now = self._context.clock()
        await self._context.store.shorten_waits(now=now, latest=now + LONGEST_WAIT_SECONDS)

    async def _end_sessions(self) -> int:
        """End sessions that are over, and the grants that nobody is signed in to any more."""
        if self._context.keeps_grants:
            return 0  # the sweep removes them, many at a time
        over_at = self._context.clock() - SESSION_WITNESS_SECONDS
        return await self._sessions.end_over(over_at, SESSION_BATCH)

    async def _sweep(self) -> int:
        context = self._context
        return await context.store.sweep(
            now=context.clock() - WITNESS_SECONDS, idle_seconds=context.idle_seconds
        )
