"""Aftermath: what is left in a database, and at Webex, when the last of many processes has died."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ledgers import grants, revocations
from storm.local_webex import MOST_PRESENTED, LocalWebex, presented
from waiting import until_true

from webex_oauth.errors import ReauthRequired
from webex_oauth.flows.housekeeping import EVERYTHING
from webex_oauth.integration import OpenIntegration
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Grant
from webex_oauth.vault.upkeep import Upkeep

MOST_ROUNDS = 20
REVOKING_SECONDS = 0.2


def spooled(folder: Path) -> list[str]:
    """Return the tokens in a spool; a draft that was cut short holds none."""
    return [file.name for file in folder.glob("*.grant") if not file.name.startswith(".")]


class Presentations:
    """Counts how often each refresh token came, over more requests than a journal keeps."""

    def __init__(self, webex: LocalWebex) -> None:
        self._webex = webex
        self.counts: Counter[str] = Counter()

    async def gather(self) -> None:
        """Count what came while no process is asking any more, and forget the requests."""
        journal = self._webex.emulator.journal
        await until_true(lambda: all(entry.is_over for entry in journal.entries))
        self.counts += presented(self._webex.emulator)
        journal.clear()

    @property
    def repeated_count(self) -> int:
        """How many refresh tokens came more than once."""
        return sum(count > 1 for count in self.counts.values())


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a grant.

    `is_held`: Webex would have taken the refresh token that was in the row. `has_died_twice`: two
    processes died that were about to present it. `reason` is why its person is needed, if so;
    else `is_good` is whether Webex takes the access token that was given.
    """

    is_held: bool
    has_died_twice: bool
    reason: str | None = None
    is_good: bool = False


class Aftermath:
    """Look, with an integration that is opened after all others have died."""

    def __init__(self, integration: OpenIntegration, webex: LocalWebex) -> None:
        self._integration = integration
        self._ledger = integration.context.ledger
        self._webex = webex

    async def settle_spool(self) -> None:
        """Run the rescue a few times."""
        for _ in range(MOST_ROUNDS):
            await self._integration.rescue.look()
            await self._integration.rescue.retry()

    async def fates(self) -> list[Fate]:
        """Ask for the access token of every grant."""
        return await asyncio.gather(*map(self._fate, await grants(self._ledger)))

    async def dead_sessions(self, session_ids: Iterable[str]) -> set[str]:
        """Return which of these sessions are not there, or do not open."""
        find = self._integration.sessions.find
        return {each for each in session_ids if await find(Secret(each)) is None}

    async def unreachable_grants(self) -> set[str]:
        """Return the grants that live at Webex and are not in the database."""
        held = await grants(self._ledger)
        return self._webex.living_grants() - {
            self._webex.grant_of(_refresh_token(grant)) for grant in held
        }

    async def revoke_all(self) -> None:
        """Deliver the queued revocations; the integration's own task may be at some of them."""
        for _ in range(MOST_ROUNDS):
            await self._integration.revocations.deliver_due()
            if not await revocations(self._ledger):
                return
            await asyncio.sleep(REVOKING_SECONDS)

    async def sweep(self) -> None:
        """Sweep until nothing is over."""
        while await Upkeep(self._ledger).sweep(self._integration.context.clock(), EVERYTHING):
            pass

    async def _fate(self, grant: Grant) -> Fate:
        fate = Fate(
            is_held=self._webex.holds(_refresh_token(grant)),
            has_died_twice=grant.trouble.presented_count >= MOST_PRESENTED,
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
