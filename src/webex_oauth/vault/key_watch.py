"""The key watch: a running process goes by its key file, seconds after that changed."""

import asyncio
import logging

from webex_oauth.errors import KeyUnavailable, StoreError
from webex_oauth.ports import Randomness
from webex_oauth.vault.key_agreement import LOOK_EVERY_SECONDS, Sleep
from webex_oauth.vault.key_checks import check_keys
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
        log.info("the keys changed", extra=_names(change.ring))

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._complaint = complaint
            log.error("the changed key file is not used", extra={"error": complaint})


def _names(ring: KeyRing) -> dict[str, object]:
    return {"seals": ring.primary.id, "opens": [key.id for key in ring.others]}
