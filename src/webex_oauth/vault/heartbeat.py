"""The heartbeat of a lease: renewed while its holder lives, over seconds after the holder died.

A holder that stands still loses its lease like a dead one. What it would write afterwards is
refused, because a commit is conditional on the version that was claimed.
"""

import asyncio
import logging
from typing import Self

from webex_oauth.errors import StoreError
from webex_oauth.vault.context import VaultContext
from webex_oauth.vault.grants import Held
from webex_oauth.vault.records import Lease

log = logging.getLogger(__name__)


class Heartbeat:
    """Renew the lease on a claimed grant for as long as the block lasts."""

    def __init__(self, context: VaultContext, claimed: Held) -> None:
        self._context = context
        self._claimed = claimed
        self._until = claimed.record.lease_until

    async def __aenter__(self) -> Self:
        """Start to renew."""
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop, and wait until no renewal is under way."""
        self._beating.cancel()
        await asyncio.wait([self._beating])

    @property
    def is_steady(self) -> bool:
        """Whether the lease lasts until the next renewal; not after this process stood still."""
        timing = self._context.timing
        return self._context.clock() + timing.store_seconds <= self._until

    async def _beat(self) -> None:
        """Renew until the lease is gone; a store that is away may be back for the next beat."""
        timing, record = self._context.timing, self._claimed.record
        owner = record.lease_owner or b""
        while True:
            await asyncio.sleep(timing.beat_seconds)
            lease = Lease(owner, self._context.clock() + timing.lease_seconds)
            try:
                is_ours = await self._context.store.renew_lease(record.key, record.version, lease)
            except StoreError as error:
                log.debug(
                    "the lease of grant %(grant)s was not renewed: %(error)s",
                    {"grant": self._claimed.name, "error": str(error)},
                )
                continue
            if not is_ours:
                return
            self._until = lease.until
