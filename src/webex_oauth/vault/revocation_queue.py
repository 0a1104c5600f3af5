"""The queue of tokens that are gone from here and have to be revoked at their server."""

from collections.abc import Sequence

from msgspec.structs import replace

from webex_oauth.errors import StoreConflict, VaultError
from webex_oauth.vault.records import Revocation
from webex_oauth.vault.rows import Change, Kind, log_unreadable, next_rev
from webex_oauth.vault.tables import Tables

MOST_TRIES = 100
MOVING = "the row kept moving"


class RevocationQueue(Tables):
    """Revocations, which one process at a time takes to deliver them."""

    async def add_revocation(self, revocation: Revocation) -> None:
        """Queue tokens for revocation; do nothing if they are queued already."""
        change = self.revocations.put(revocation.name, revocation)
        await self.rows.apply([change], durably=True)

    async def take_revocations(self, now: int, until: int, limit: int) -> Sequence[Revocation]:
        """Take revocations that are due: no other process gets them before *until*.

        Each comes with its `due_at` moved there and its `try_count` grown by one.
        """
        taken = []
        for row in await self.rows.due(Kind.REVOCATION, now, limit):
            try:
                entry = self.revocations.open(row)
            except VaultError as error:
                log_unreadable(row, error)
                later_row = replace(row, rev=next_rev(row.rev), at=until)
                await self.rows.apply([Change(later_row, row.rev)], durably=False)
                continue
            later = replace(entry.record, due_at=until, try_count=entry.record.try_count + 1)
            change = self.revocations.put(later.name, later, entry.rev)
            if await self.rows.apply([change], durably=False):
                taken.append(later)
        return taken

    async def postpone_revocation(self, revocation: Revocation, due_at: int) -> None:
        """Move `due_at`; do nothing if the revocation is gone."""
        row = await self.revocations.row(revocation.name)
        if row.rev:
            later = replace(revocation, due_at=due_at)
            change = self.revocations.put(later.name, later, row.rev)
            await self.rows.apply([change], durably=False)

    async def drop_revocation(self, revocation: Revocation) -> None:
        """Remove a revocation that is done, or will never be."""
        for _ in range(MOST_TRIES):
            row = await self.revocations.row(revocation.name)
            if not row.rev or await self.rows.apply([row.removal], durably=False):
                return
        raise StoreConflict(MOVING)
