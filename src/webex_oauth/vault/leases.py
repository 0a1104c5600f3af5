"""Leases: the right to refresh one grant, taken and given back by one process."""

import logging
from dataclasses import replace

from webex_oauth.errors import StoreUnavailable
from webex_oauth.vault.commit import Notes
from webex_oauth.vault.context import VaultContext
from webex_oauth.vault.grants import Held
from webex_oauth.vault.plan import latest_lease_end
from webex_oauth.vault.records import Lease, RefreshTrouble

OWNER_BYTES = 16

log = logging.getLogger(__name__)


class Leases:
    """Claim grants as one owner; a lease that could not be given back is remembered."""

    def __init__(self, context: VaultContext) -> None:
        self._store = context.store
        self._clock = context.clock
        self._timing = context.timing
        self._unwritten: Notes[RefreshTrouble] = Notes()
        self.owner = context.randomness(OWNER_BYTES)

    async def claim(self, held: Held) -> Held | None:
        """Take the right to present this refresh token once; None when somebody was quicker."""
        record, now = held.record, self._clock()
        lease = Lease(self.owner, now + self._timing.lease_seconds)
        # A lease that ends too far ahead has lapsed as well: the store is told an instant after it.
        lapsed_at = record.lease_until if record.lease_until > latest_lease_end(now) else now
        try:
            claimed = await self._store.claim_grant(record, lease, lapsed_at)
        except StoreUnavailable:
            # It may have been taken all the same; nothing was presented under it.
            self._unwritten.add(record, record.trouble)
            raise
        if claimed is None:
            return None
        self._unwritten.drop(record)
        return replace(held, record=claimed)

    async def release(self, claimed: Held, trouble: RefreshTrouble) -> bool:
        """Give the lease back; False when it is not ours any more, or the store is away."""
        record = claimed.record
        try:
            is_done = await self._store.release_grant(
                record.key, record.version, self.owner, trouble
            )
        except StoreUnavailable as error:
            self._unwritten.add(record, trouble)
            log.warning(
                "the lease of grant %(grant)s could not be given back and lapses by itself: "
                "%(error)s",
                {"grant": claimed.name, "error": str(error)},
            )
            return False
        self._unwritten.drop(record)
        return is_done

    async def take_back(self, held: Held) -> None:
        """Give back a lease that an earlier refresh of this process left; raises StoreUnavailable.

        What it left behind is what was remembered, or else what the row says.
        """
        record = held.record
        trouble = self._unwritten.find(record) or record.trouble
        await self._store.release_grant(record.key, record.version, self.owner, trouble)
        self._unwritten.drop(record)
