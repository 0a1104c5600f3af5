"""Revocations in memory."""

from collections.abc import Sequence
from dataclasses import replace

from webex_oauth.stores.belonging import BelongingStore
from webex_oauth.vault.records import RevocationRecord, name_of, revocation_name


class Revocations(BelongingStore):
    """The revocations of a store, by their names."""

    def __init__(self) -> None:
        super().__init__()
        self._revocations: dict[bytes, RevocationRecord] = {}

    async def add_revocation(self, record: RevocationRecord) -> None:
        self._revocations.setdefault(name_of(record), record)

    async def take_revocations(
        self, *, now: int, until: int, limit: int
    ) -> Sequence[RevocationRecord]:
        due = [record for record in self._revocations.values() if record.due_at <= now]
        due.sort(key=lambda record: record.due_at)
        taken = [
            replace(record, due_at=until, try_count=record.try_count + 1) for record in due[:limit]
        ]
        self._revocations |= {name_of(record): record for record in taken}
        return taken

    async def postpone_revocation(self, grant_key: bytes, version: int, due_at: int) -> None:
        name = revocation_name(grant_key, version)
        if name in self._revocations:
            self._revocations[name] = replace(self._revocations[name], due_at=due_at)

    async def drop_revocation(self, grant_key: bytes, version: int) -> None:
        self._revocations.pop(revocation_name(grant_key, version), None)
