"""Grants in memory."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from webex_oauth.errors import StoreConflict
from webex_oauth.stores.belonging import BelongingStore
from webex_oauth.vault.cooldown import is_cooling
from webex_oauth.vault.records import GrantRecord, Lease, RefreshTrouble
from webex_oauth.vault.store import ABSENT


class Grants(BelongingStore):
    """The grants of a store, by their keys."""

    def __init__(self) -> None:
        super().__init__()
        self._grants: dict[bytes, GrantRecord] = {}

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        return self._grants.get(key)

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
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

    async def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        grant = self._leased(key, version, lease.owner)
        if grant is None:
            return False
        self._grants[key] = replace(grant, lease_until=max(grant.lease_until, lease.until))
        return True

    async def release_grant(
        self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
    ) -> bool:
        grant = self._leased(key, version, owner)
        if grant is None:
            return False
        self._grants[key] = replace(grant, lease_owner=None, lease_until=0, **asdict(trouble))
        return True

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        if record.key not in self._grants:
            raise StoreConflict("the grant is gone")
        self._write_grant(record, expected_version)

    async def due_grants(self, *, now: int, limit: int) -> Sequence[GrantRecord]:
        due = [
            (grant.keep_at, key)
            for key, grant in self._grants.items()
            if grant.keep_at is not None
            and max(grant.keep_at, grant.retry_at) <= now
            and not is_cooling(grant.lease_until, now)
        ]
        return [self._grants[key] for _, key in sorted(due)[:limit]]

    def _write_grant(self, record: GrantRecord, expected_version: int) -> None:
        current = self._grants.get(record.key)
        if (ABSENT if current is None else current.version) != expected_version:
            raise StoreConflict("the grant moved on")
        self._grants[record.key] = record

    def _leased(self, key: bytes, version: int, owner: bytes) -> GrantRecord | None:
        grant = self._grants.get(key)
        is_ours = grant is not None and (grant.version, grant.lease_owner) == (version, owner)
        return grant if is_ours else None
