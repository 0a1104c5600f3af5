"""The sweeper: removes what is over, a batch at a time, and only by a clock that has proved steady.

What is removed cannot be brought back, so one reading of a clock is not enough: the clock must have
run for WITNESS_SECONDS without a step, as long as this process has watched it, and what goes was
over by then. Sessions that are over end after SESSION_WITNESS_SECONDS already, and the grant of a
person with the last of them, unless grants are kept; so do marks of sign-ins, which only tell a
reload where to go.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from webex_oauth.errors import StoreError
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.sessions import Sessions
from webex_oauth.ports import Sleep
from webex_oauth.vault.rows import Kind
from webex_oauth.vault.upkeep import Upkeep

SWEEP_EVERY_SECONDS = 300.0
WITNESS_SECONDS = 6 * 3600
SESSION_WITNESS_SECONDS = 900
SESSION_BATCH = 100
LARGE_STEP_SECONDS = 60
MARKS = (Kind.STATE,)
EVERYTHING = (Kind.STATE, Kind.SESSION, Kind.REVOCATION, Kind.GRANT)

log = logging.getLogger(__name__)


class Sweeper:
    """Sweep the store every few minutes, until nothing that is over is left."""

    def __init__(
        self,
        context: FlowContext,
        sessions: Sessions,
        *,
        monotonic: Callable[[], float],
        upkeep: Upkeep | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._context = context
        self._sessions = sessions
        self._upkeep = upkeep or Upkeep(context.ledger)
        self._sleep = sleep
        self._monotonic = monotonic
        self._mended = dict.fromkeys((Kind.SESSION, Kind.GRANT, Kind.REVOCATION), b"")
        self._steady_since = monotonic()
        self._ahead_seconds = context.clock() - self._steady_since

    async def run(self) -> None:
        """Sweep for ever; a store that cannot answer is left until the next time."""
        while True:
            await self._sleep(SWEEP_EVERY_SECONDS)
            try:
                await self._mend()
                await self._remove(self._steady_seconds())
            except StoreError as error:
                log.warning(
                    "removing what is over failed and is tried again: %(error)s",
                    {"error": str(error) or type(error).__name__},
                )

    async def _remove(self, steady_seconds: float) -> None:
        if steady_seconds >= SESSION_WITNESS_SECONDS:
            while await self._end_sessions() or await self._sweep(SESSION_WITNESS_SECONDS, MARKS):
                await self._sleep(0)
        if steady_seconds >= WITNESS_SECONDS:
            while await self._sweep(WITNESS_SECONDS, EVERYTHING):
                await self._sleep(0)

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

    async def _mend(self) -> None:
        """Look at some rows of each kind that lasts, all in turn."""
        for kind, after in self._mended.items():
            now = self._context.clock()
            self._mended[kind] = await self._upkeep.mend(kind, after, now)

    async def _end_sessions(self) -> int:
        """End sessions that are over, and the grants that nobody is signed in to any more."""
        if self._context.keeps_grants:
            return 0  # the sweep removes them, many at a time
        over_at = self._context.clock() - SESSION_WITNESS_SECONDS
        return await self._sessions.end_over(over_at, SESSION_BATCH)

    async def _sweep(self, witness_seconds: int, kinds: Sequence[Kind]) -> int:
        return await self._upkeep.sweep(self._context.clock() - witness_seconds, kinds)
