"""Aftermath: what is left of a store, and at Webex, when the last process of many has died."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ledgers import grants, marks, revocations
from storm.local_webex import MOST_PRESENTED, LocalWebex, presented
from waiting import until_true

from webex_oauth.errors import ReauthRequired
from webex_oauth.flows.sweeper import EVERYTHING
from webex_oauth.integration import Integration
from webex_oauth.secret import Secret
from webex_oauth.vault.grants import Grant
from webex_oauth.vault.upkeep import Upkeep

MOST_ROUNDS = 20
LOOK_AGAIN_SECONDS = 0.02
REVOKING_SECONDS = 0.2


def spooled(folder: Path) -> list[str]:
    """Name the tokens in a spool; a draft of one who died while writing it holds none."""
    return [file.name for file in folder.glob("*.grant") if not file.name.startswith(".")]


class Presentations:
    """Count how often each refresh token came, over more requests than a journal keeps."""

    def __init__(self, webex: LocalWebex) -> None:
        self._webex = webex
        self._counts: Counter[str] = Counter()

    async def gather(self) -> None:
        """Count what came while nobody is asking any more, and forget the requests."""
        journal = self._webex.emulator.journal
        await until_true(lambda: all(entry.is_over for entry in journal.entries))
        self._counts += presented(self._webex.emulator)
        journal.clear()

    @property
    def total(self) -> int:
        """How many refreshes were asked for."""
        return self._counts.total()

    @property
    def most(self) -> int:
        """How often one refresh token came at most."""
        return max(self._counts.values(), default=0)

    @property
    def repeated_count(self) -> int:
        """How many refresh tokens came more than once."""
        return sum(count > 1 for count in self._counts.values())


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a grant.

    `is_held`: Webex would have taken the refresh token that was in the row. `has_died_twice`: two
    processes died that were about to present it. `reason` is why its person is needed, if so;
    else `is_good` says whether Webex takes the access token that was given.
    """

    is_held: bool
    has_died_twice: bool
    reason: str | None
    is_good: bool


class Aftermath:
    """Look, with an integration that is opened after all others have died."""

    def __init__(self, integration: Integration, webex: LocalWebex) -> None:
        self._integration = integration
        self._ledger = integration.context.ledger
        self._webex = webex

    async def grants(self) -> list[Grant]:
        """Read all grants."""
        return await grants(self._ledger)

    async def lease_count(self) -> int:
        """Count the grants under a lease."""
        return sum(grant.lease is not None for grant in await self.grants())

    async def settle_spool(self, folder: Path) -> int:
        """Let the rescue look and try a few times; say how many files stay."""
        rescue = self._integration.rescue
        for _ in range(MOST_ROUNDS):
            await rescue.look()
            await rescue.retry()
        return len(spooled(folder))

    async def fates(self) -> list[Fate]:
        """Ask for the access token of every grant."""
        return await asyncio.gather(*map(self._fate, await self.grants()))

    async def dead_sessions(self, session_ids: Iterable[str]) -> set[str]:
        """Say which of these sessions are not there, or do not open."""
        found = {each: await self._integration.sessions.find(Secret(each)) for each in session_ids}
        return {session_id for session_id, session in found.items() if session is None}

    async def unreachable_grants(self) -> set[str]:
        """Name the grants that live at Webex, and that nobody here knows."""
        held = await self.grants()
        known = {self._webex.grant_of(_refresh_token(grant)) for grant in held}
        return self._webex.living_grants() - known

    async def revoke_all(self) -> int:
        """Give back what is queued and due; say how much stays in the queue.

        The integration's own task may be at some of it just now.
        """
        for _ in range(MOST_ROUNDS):
            await self._integration.revocations.deliver_due()
            if not await revocations(self._ledger):
                return 0
            await asyncio.sleep(REVOKING_SECONDS)
        return len(await revocations(self._ledger))

    async def sweep(self) -> int:
        """Sweep until nothing is over; return how many marks of sign-ins are left."""
        while await Upkeep(self._ledger).sweep(self._integration.context.clock(), EVERYTHING):
            pass
        return len(await marks(self._ledger))

    async def _fate(self, grant: Grant) -> Fate:
        fate = Fate(
            is_held=self._webex.holds(_refresh_token(grant)),
            has_died_twice=grant.trouble.presented_count >= MOST_PRESENTED,
            reason=None,
            is_good=False,
        )
        try:
            token = await self._integration.vault.access_token(grant.key)
        except ReauthRequired as error:
            return replace(fate, reason=error.reason)
        return replace(fate, is_good=self._webex.takes(token.reveal()))


def _refresh_token(grant: Grant) -> str:
    token = grant.tokens.refresh_token
    assert token is not None
    return token.reveal()
