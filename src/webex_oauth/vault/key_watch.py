"""The key watch: a running process looks every second at its key file and at the store's keys.

It goes by its key file seconds after that changed. Another process may have begun to seal with a
key that is not here: what it writes cannot be read here, and this process is not ready.
"""

import asyncio
import logging

from webex_oauth.errors import KeyUnavailable, StoreError
from webex_oauth.ports import Randomness, Sleep
from webex_oauth.vault.key_checks import LOOK_EVERY_SECONDS, answer, check_key, check_keys, in_use
from webex_oauth.vault.keys import KeyChange, KeyFile
from webex_oauth.vault.sealing import KeyRing, Sealer
from webex_oauth.vault.store import Store

log = logging.getLogger(__name__)


class KeyWatch:
    """Adopt what a key file says once it fits the store; until then go on with what was read."""

    def __init__(
        self,
        keys: KeyFile,
        store: Store,
        randomness: Randomness,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._sleep = sleep
        self._keys = keys
        self._store = store
        self._randomness = randomness
        self._complaint = ""

    async def run(self) -> None:
        """Look at the file again and again, for ever."""
        while True:
            await self._sleep(LOOK_EVERY_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Adopt the file's keys if they changed; complain once about a change that cannot be."""
        try:
            change = self._keys.change()
            if change is not None:
                await self._adopt(change)
        except KeyUnavailable as error:
            self._complain(str(error))
        except StoreError as error:
            self._complain(f"the store cannot be asked: {type(error).__name__}")
        else:
            self._complaint = ""

    async def _adopt(self, change: KeyChange) -> None:
        """Let the store know of a new primary key before anything is sealed with it."""
        await check_keys(self._store, Sealer(change.ring, self._randomness), self._sleep)
        self._keys.adopt(change)
        log.info("the keys changed: %(seals)s seals, %(opens)s open", _names(change.ring))

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._complaint = complaint
            log.error("the changed key file is not used: %(error)s", {"error": complaint})


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
                log.debug("the keys in use cannot be asked for: %(error)s", {"error": str(error)})

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
                "not ready: what other processes seal with key %(key)s cannot be read: %(error)s",
                {"key": key_id, "error": missing[key_id]},
            )
        self._missing = frozenset(missing)

    async def check(self) -> None:
        """Raise KeyUnavailable when a key is missing, or StoreUnavailable."""
        await self.look()
        if self._missing:
            names = ", ".join(sorted(self._missing))
            raise KeyUnavailable(f"not every key of the store is here: {names}")


def _names(ring: KeyRing) -> dict[str, object]:
    return {"seals": ring.primary.id, "opens": [key.id for key in ring.others]}
