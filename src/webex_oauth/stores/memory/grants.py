"""Grants in memory."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from webex_oauth.errors import StoreConflict
from webex_oauth.vault.cooldown import is_cooling
from webex_oauth.vault.records import GrantRecord, Lease, RefreshTrouble
from webex_oauth.vault.store import ABSENT


class Grants:
    """Hold grants by key."""

    def __init__(self) -> None:
        self._grants: dict[bytes, GrantRecord] = {}

    def __len__(self) -> int:
        return len(self._grants)

    def find(self, key: bytes) -> GrantRecord | None:
        """Find a grant."""
        return self._grants.get(key)

    def claim(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        """Put the row that was seen under a lease, unless another lease lasts."""
        grant = self._grants.get(seen.key)
        if grant is None or grant.lease_until > now:
            return None
        if (grant.version, grant.trouble) != (seen.version, seen.trouble):
            return None
        claimed = replace(
            grant,
            lease_owner=lease.owner,
            lease_until=lease.until,
            presented_count=grant.presented_count + 1,
        )
        self._grants[seen.key] = claimed
        return claimed

    def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        """Move the end of a lease forward."""
        grant = self._grants.get(key)
        if grant is None or grant.version != version or grant.lease_owner != lease.owner:
            return False
        until = max(grant.lease_until, lease.until)
        self._grants[key] = replace(grant, lease_until=until)
        return True

    def release(self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble) -> bool:
        """End *owner*'s lease on a version."""
        grant = self._grants.get(key)
        if grant is None or grant.version != version or grant.lease_owner != owner:
            return False
        self._grants[key] = replace(
            grant,
            lease_owner=None,
            lease_until=0,
            presented_count=trouble.presented_count,
            failure_count=trouble.failure_count,
            retry_at=trouble.retry_at,
        )
        return True

    def write(self, record: GrantRecord, expected_version: int) -> None:
        """Add a grant that is absent, or write over the expected version; else StoreConflict."""
        current = self._grants.get(record.key)
        if (ABSENT if current is None else current.version) != expected_version:
            raise StoreConflict("the grant moved on")
        self._grants[record.key] = record

    def replace(self, record: GrantRecord, expected_version: int) -> None:
        """Write a grant over its expected version; raise StoreConflict when it moved or went."""
        if record.key not in self._grants:
            raise StoreConflict("the grant is gone")
        self.write(record, expected_version)

    def due(self, now: int, limit: int) -> Sequence[GrantRecord]:
        """Find grants to renew that nobody is at, the longest due first."""
        due = [
            (grant.keep_at, key)
            for key, grant in self._grants.items()
            if grant.keep_at is not None
            and max(grant.keep_at, grant.retry_at) <= now
            and not is_cooling(grant.lease_until, now)
        ]
        return [self._grants[key] for _, key in sorted(due)[:limit]]

    def drop(self, key: bytes) -> GrantRecord | None:
        """Delete a grant and give it."""
        return self._grants.pop(key, None)

    def drop_over(self, now: int, needed: Container[bytes]) -> None:
        """Delete those whose last token has ended, unless they are needed."""
        self._grants = {
            key: grant
            for key, grant in self._grants.items()
            if key in needed or grant.ends_at is None or grant.ends_at > now
        }

    def shorten_waits(self, now: int, latest: int) -> None:
        """Let what is kept or cools down until after *latest* be due *now*."""
        for key, grant in self._grants.items():
            if grant.keep_at is not None and max(grant.keep_at, grant.retry_at) > latest:
                self._grants[key] = replace(grant, keep_at=now, retry_at=0)

    def records(self) -> Mapping[bytes, GrantRecord]:
        """Give all, by key."""
        return dict(self._grants)

    def put(self, record: GrantRecord) -> None:
        """Put a record in the place of the one with its key."""
        self._grants[record.key] = record
