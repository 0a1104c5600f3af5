"""Re-encryption: every row under the key that seals now, while the application runs.

It may be ended at any moment and run again: each row shows by itself whether it is done.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TypeAlias

from webex_oauth.errors import ConfigurationError, StoreUnavailable, VaultError
from webex_oauth.ports import Sleep
from webex_oauth.vault.key_checks import SETTLE_SECONDS
from webex_oauth.vault.records import GrantRecord, SealedRecord
from webex_oauth.vault.sealed_rows import all_rows, context_of, spooled_rows
from webex_oauth.vault.sealing import Sealer, key_id_of
from webex_oauth.vault.spool import Spool
from webex_oauth.vault.store import Store

MOST_PASSES = 12

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """Say what became of a row."""

    CURRENT = "current"
    RESEALED = "resealed"
    MOVED = "moved"
    UNOPENED = "unopened"


Tally: TypeAlias = Mapping[Outcome, int]


class Reencryption:
    """Seal all rows anew, at half of the store's time at most.

    `report` hears how far a pass has come.
    """

    def __init__(
        self,
        store: Store,
        spool: Spool,
        sealer: Sealer,
        report: Callable[[Tally], None],
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._store = store
        self._spool = spool
        self._sealer = sealer
        self._report = report
        self._sleep = sleep

    async def run(self) -> Tally:
        """Go over all rows until a pass finds nothing under another key; tell what was done.

        That pass begins when every process has had the time to look at its key file. Raises
        StoreUnavailable, or ConfigurationError when something seals under another key for ever.
        """
        total, outage = Counter[Outcome](), None
        for number in range(MOST_PASSES):
            if number:
                await self._sleep(SETTLE_SECONDS)
            found = Counter[Outcome]()
            try:
                await self._walk(found)
            except StoreUnavailable as error:
                outage = error
                continue
            finally:
                total.update({Outcome.RESEALED: found[Outcome.RESEALED]})
            if number and not found[Outcome.RESEALED] and not found[Outcome.MOVED]:
                return self._done(total | found)
        raise outage or ConfigurationError([_still_sealing(self._sealer)])

    def _done(self, total: Tally) -> Tally:
        log.info(
            "rows were re-encrypted under key %(key)s: %(counts)s",
            {"key": self._sealer.keys.primary.id, "counts": _counts(total)},
        )
        return total

    async def _walk(self, found: Counter[Outcome]) -> None:
        clock = asyncio.get_running_loop().time
        worked_from = clock()
        for name, waiting in spooled_rows(self._spool):
            found[self._spooled(name, waiting)] += 1
        async for batch in all_rows(self._store):
            for record in batch:
                found[await self._outcome(record)] += 1
            self._report(found)
            await self._sleep(clock() - worked_from)
            worked_from = clock()

    async def _outcome(self, record: SealedRecord) -> Outcome:
        sealed = self._sealed_anew(record)
        if not isinstance(sealed, bytes):
            return sealed
        is_done = await self._store.reseal(record, sealed)
        return Outcome.RESEALED if is_done else Outcome.MOVED

    def _spooled(self, name: str, record: GrantRecord) -> Outcome:
        """Reseal a file; should its row be stored just now, the file that stays says it again."""
        sealed = self._sealed_anew(record)
        if not isinstance(sealed, bytes):
            return sealed
        self._spool.replace(name, replace(record, sealed=sealed))
        return Outcome.RESEALED

    def _sealed_anew(self, record: SealedRecord) -> bytes | Outcome:
        """Seal the content of a row under the primary key, or say why not."""
        try:
            if key_id_of(record.sealed) == self._sealer.keys.primary.id:
                return Outcome.CURRENT
            context = context_of(record)
            return self._sealer.seal(self._sealer.open(record.sealed, context), context)
        except VaultError:
            return Outcome.UNOPENED


def _counts(total: Tally) -> dict[str, int]:
    return {outcome.value: count for outcome, count in total.items() if count}


def _still_sealing(sealer: Sealer) -> str:
    return (
        f"rows come under another key than {sealer.keys.primary.id!r} again and again: give every "
        "process the same keys, then run this again"
    )
