"""Key presence: whether this process has every key that the store's rows are under.

Another process may have begun to seal with a key that is not here. Then what it writes cannot be
read here, and this process is not ready.
"""

import asyncio
import logging

from webex_oauth.errors import KeyUnavailable, StoreError
from webex_oauth.vault.key_agreement import LOOK_EVERY_SECONDS, answer, in_use
from webex_oauth.vault.key_checks import check_key
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.store import Store

log = logging.getLogger(__name__)


class KeyPresence:
    """Look at the keys that the store names; *who* is how this process is told of to others."""

    def __init__(self, store: Store, sealer: Sealer, who: str) -> None:
        self._store = store
        self._sealer = sealer
        self._who = who
        self._missing: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Look and answer every second."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                await self.look()
            except StoreError as error:
                log.debug("the keys in use cannot be asked for", extra={"error": str(error)})

    async def look(self) -> None:
        """Answer questions, and log each key once that is missing here; raises StoreUnavailable."""
        checks = await self._store.key_checks()
        await answer(self._store, self._sealer.keys, checks, self._who)
        missing = {}
        for key_id, sealed in in_use(checks).items():
            try:
                check_key(self._sealer, key_id, sealed)
            except KeyUnavailable as error:
                missing[key_id] = str(error)
        for key_id in missing.keys() - self._missing:
            log.error(
                "not ready: what other processes seal cannot be read",
                extra={"key": key_id, "error": missing[key_id]},
            )
        self._missing = frozenset(missing)

    async def check(self) -> None:
        """Raise KeyUnavailable when a key is missing, or StoreUnavailable."""
        await self.look()
        if self._missing:
            names = ", ".join(sorted(self._missing))
            raise KeyUnavailable(f"not every key of the store is here: {names}")
