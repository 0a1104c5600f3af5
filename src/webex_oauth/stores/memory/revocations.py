"""Revocations in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from webex_oauth.vault.records import RevocationRecord, name_of


class Revocations:
    """Hold tokens that wait to be revoked, by the version of the grant that they were."""

    def __init__(self) -> None:
        self._queued: dict[tuple[bytes, int], RevocationRecord] = {}

    def __len__(self) -> int:
        return len(self._queued)

    def add(self, record: RevocationRecord) -> None:
        """Queue tokens, unless they are queued already."""
        self._queued.setdefault((record.grant_key, record.version), record)

    def take(self, now: int, until: int, limit: int) -> Sequence[RevocationRecord]:
        """Take what is due, the longest due first, and nobody else gets it before *until*."""
        due = [record for record in self._queued.values() if record.due_at <= now]
        due.sort(key=lambda record: record.due_at)
        taken = [
            replace(record, due_at=until, try_count=record.try_count + 1) for record in due[:limit]
        ]
        for record in taken:
            self.put(record)
        return taken

    def postpone(self, grant_key: bytes, version: int, due_at: int) -> None:
        """Move `due_at`."""
        record = self._queued.get((grant_key, version))
        if record is not None:
            self.put(replace(record, due_at=due_at))

    def drop(self, grant_key: bytes, version: int) -> None:
        """Remove one."""
        self._queued.pop((grant_key, version), None)

    def drop_over(self, now: int) -> None:
        """Remove those whose tokens have ended."""
        self._queued = {
            key: record
            for key, record in self._queued.items()
            if record.ends_at is None or record.ends_at > now
        }

    def shorten_waits(self, now: int, latest: int) -> None:
        """Let what waits until after *latest* be due *now*."""
        for record in list(self._queued.values()):
            if record.due_at > latest:
                self.put(replace(record, due_at=now))

    def records(self) -> Mapping[bytes, RevocationRecord]:
        """Give all, by name."""
        return {name_of(record): record for record in self._queued.values()}

    def put(self, record: RevocationRecord) -> None:
        """Put a record in the place of the one with its name."""
        self._queued[record.grant_key, record.version] = record
