"""Work without a visitor: the keeper renews grants, the sweeper removes what is over.

The keeper takes one grant after the other, a few a second at most, in random order: keepers on one
store seldom want the same grant, and if they do, the vault's lease decides.

What the sweeper removes cannot be brought back, so one reading of a clock is not enough: the clock
must have run for STEADY_SECONDS without a step, as long as this process has watched it, and what
goes was over by then. Sessions that are over end after SESSION_STEADY_SECONDS already, and the
grant of a person with the last of them, unless grants are kept; so do marks of sign-ins, which
only tell a reload where to go.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence

from msgspec import Struct
from msgspec.structs import replace

from webex_oauth.errors import ReauthRequired, StoreError, VaultError
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.sessions import Sessions
from webex_oauth.ports import Sleep, random_share
from webex_oauth.vault.records import name_of_grant
from webex_oauth.vault.rows import Kind
from webex_oauth.vault.upkeep import Upkeep
from webex_oauth.vault.vault import Kept, Vault

BATCH = 100
MAX_PER_SECOND = 5.0
ROUND_SECONDS = 60.0
MAX_POSTPONED_IN_A_ROW = 10

SWEEP_EVERY_SECONDS = 300.0
STEADY_SECONDS = 6 * 3600
SESSION_STEADY_SECONDS = 900
SESSION_BATCH = 100
LARGE_STEP_SECONDS = 60
MARKS = (Kind.STATE,)
LASTING = (Kind.SESSION, Kind.GRANT, Kind.REVOCATION, Kind.EVENT, Kind.CURSOR)
EVERYTHING = (*MARKS, *LASTING)

log = logging.getLogger(__name__)


class Round(Struct, frozen=True):
    """What one round of the keeper did.

    `postponed_count` are those to be tried again, `unreadable_count` those whose seal is broken.
    `needing_person` are the ids of people who have to sign in again; each is reported once.
    """

    renewed_count: int = 0
    postponed_count: int = 0
    unreadable_count: int = 0
    needing_person: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to do."""
        return self == Round()


class Keeper:
    """Renew what is due, round after round."""

    def __init__(
        self,
        context: FlowContext,
        vault: Vault,
        *,
        round_seconds: float = ROUND_SECONDS,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._context = context
        self._vault = vault
        self._round_seconds = round_seconds
        self._sleep = sleep

    async def run(self, tell: Callable[[Round], None] = lambda _: None) -> None:
        """Keep grants about every *round_seconds*, until cancelled; *tell* hears what was done."""
        while True:
            await self._sleep(self._round_seconds * (0.5 + self._chance()))
            try:
                done = await self.keep_once()
            except StoreError as error:
                log.warning(
                    "keeping grants alive failed and is tried again: %(error)s",
                    {"error": str(error)},
                )
                continue
            if not done.is_empty:
                tell(done)

    async def keep_once(self) -> Round:
        """Renew everything that is due.

        Ends early when the server wants to be left alone, or one grant after the other is
        postponed. Raises StoreUnavailable.
        """
        done, tried, postponed_in_a_row = Round(), set[bytes](), 0
        while batch := await self._due(tried, still_due_count=len(tried) - done.renewed_count):
            for key in batch:
                if self._vault.quiet_seconds or postponed_in_a_row == MAX_POSTPONED_IN_A_ROW:
                    return _told(done)
                tried.add(key)
                before, done = done, await self._keep(key, done)
                was_postponed = done.postponed_count > before.postponed_count
                postponed_in_a_row = postponed_in_a_row + 1 if was_postponed else 0
                await self._sleep(1 / MAX_PER_SECOND)
        return _told(done)

    async def _due(self, tried: Collection[bytes], *, still_due_count: int) -> Sequence[bytes]:
        """Find what is due and was not tried in this round, and shuffle it."""
        found = await self._context.ledger.due_grants(
            self._context.clock(), BATCH + still_due_count
        )
        keys = [key for key in found if key not in tried]
        return sorted(keys[:BATCH], key=lambda _: self._chance())

    async def _keep(self, key: bytes, done: Round) -> Round:
        try:
            kept = await self._vault.keep(key)
        except VaultError as error:
            log.warning(
                "grant %(grant)s cannot be read and is not kept alive: %(error)s",
                {"grant": name_of_grant(key), "error": str(error)},
            )
            return replace(done, unreadable_count=done.unreadable_count + 1)
        match kept:
            case Kept.RENEWED:
                return replace(done, renewed_count=done.renewed_count + 1)
            case Kept.POSTPONED:
                return replace(done, postponed_count=done.postponed_count + 1)
            case Kept.NEEDS_PERSON:
                people = await self._person(key)
                return replace(done, needing_person=done.needing_person + people)
            case _:
                return done

    async def _person(self, key: bytes) -> tuple[str, ...]:
        """Return the id of the grant's person, unless the grant has gone meanwhile."""
        try:
            return ((await self._vault.grant(key)).subject,)
        except (ReauthRequired, VaultError):
            return ()

    def _chance(self) -> float:
        return random_share(self._context.randomness)


def _told(done: Round) -> Round:
    if not done.is_empty:
        log.info(
            "kept %(renewed)s grants, postponed %(postponed)s; unreadable: %(unreadable)s, "
            "has to sign in again: %(needing_person)s",
            {
                "renewed": done.renewed_count,
                "postponed": done.postponed_count,
                "unreadable": done.unreadable_count,
                "needing_person": len(done.needing_person),
            },
        )
    return done


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
        self._mended = dict.fromkeys(LASTING, b"")
        self._steady_since = monotonic()
        self._ahead_seconds = context.clock() - self._steady_since

    async def run(self) -> None:
        """Sweep until cancelled; if the store cannot answer, the next round tries again."""
        while True:
            await self._sleep(SWEEP_EVERY_SECONDS)
            try:
                await self._mend()
                await self._remove(self._steady_seconds())
            except StoreError as error:
                log.warning(
                    "removing what is over failed and is tried again: %(error)s",
                    {"error": str(error)},
                )

    async def _remove(self, steady_seconds: float) -> None:
        if steady_seconds >= SESSION_STEADY_SECONDS:
            while await self._end_sessions() or await self._sweep(SESSION_STEADY_SECONDS, MARKS):
                await self._sleep(0)
        if steady_seconds >= STEADY_SECONDS:
            while await self._sweep(STEADY_SECONDS, EVERYTHING):
                await self._sleep(0)

    def _steady_seconds(self) -> float:
        """Return for how long the clock has not stepped."""
        at = self._monotonic()
        ahead_seconds = self._context.clock() - at
        if abs(ahead_seconds - self._ahead_seconds) > LARGE_STEP_SECONDS:
            log.warning(
                "the clock stepped: nothing is removed before it has been steady for "
                "%(steady_seconds)s s",
                {"steady_seconds": STEADY_SECONDS},
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
        """End sessions that are over, and grants with their last session."""
        if self._context.keeps_grants:
            return 0  # the sweep removes them, many at a time
        over_at = self._context.clock() - SESSION_STEADY_SECONDS
        return await self._sessions.end_over(over_at, SESSION_BATCH)

    async def _sweep(self, steady_seconds: int, kinds: Sequence[Kind]) -> int:
        return await self._upkeep.sweep(self._context.clock() - steady_seconds, kinds)
