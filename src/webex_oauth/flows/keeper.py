"""The keeper: renews grants that nobody uses, in good time before their refresh tokens end.

It takes one after the other, a few a second at most, in an order of chance, so that several
keepers on one store seldom want the same grant; where they do, the vault's lease decides.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from webex_oauth.errors import ReauthRequired, StoreError, VaultError
from webex_oauth.flows.context import FlowContext
from webex_oauth.ports import Sleep, random_share
from webex_oauth.vault.records import name_of_grant
from webex_oauth.vault.vault import Kept, Vault

BATCH = 100
MAX_PER_SECOND = 5.0
ROUND_SECONDS = 60.0
MAX_POSTPONED_IN_A_ROW = 10

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of the keeper did.

    `postponed_count` are those to be tried again, `unreadable_count` those whose seal is broken.
    `needing_person` are the ids of the people who have to sign in again; it is told once of each.
    """

    renewed_count: int = 0
    postponed_count: int = 0
    unreadable_count: int = 0
    needing_person: tuple[str, ...] = field(default=(), repr=False)

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
        max_per_second: float = MAX_PER_SECOND,
        round_seconds: float = ROUND_SECONDS,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._context = context
        self._vault = vault
        self._gap_seconds = 1 / max_per_second
        self._round_seconds = round_seconds
        self._sleep = sleep

    async def run(self, tell: Callable[[Round], None] = lambda _: None) -> None:
        """Keep grants for ever, about every *round_seconds*; *tell* hears what rounds did."""
        while True:
            await self._sleep(self._round_seconds * (0.5 + self._chance()))
            try:
                done = await self.keep_once()
            except StoreError as error:
                log.warning(
                    "keeping grants alive failed and is tried again: %(error)s",
                    {"error": str(error) or type(error).__name__},
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
                await self._sleep(self._gap_seconds)
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
                {"grant": name_of_grant(key), "error": str(error) or type(error).__name__},
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
        """Name whose grant it is; nobody when it has gone meanwhile."""
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
