"""Grants in Redis, written only over the version that the writer has seen."""

from collections.abc import Sequence
from dataclasses import asdict

from webex_oauth.errors import StoreConflict
from webex_oauth.stores.redis.database import RedisPart
from webex_oauth.stores.redis.revocations import read_ended_grant
from webex_oauth.stores.redis.rows import GRANT, grant_fields, version_bytes
from webex_oauth.vault.records import GrantRecord, Lease, RefreshTrouble, RevocationRecord


class Grants(RedisPart):
    """The grants of a store."""

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        values = await self._database.command(
            "HMGET", self._database.row(GRANT.name, key), *GRANT.columns
        )
        return GRANT.read_found(key, values)

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        rows = await self._database.run_durably(
            "claim_grant",
            key=seen.key,
            version=version_bytes(seen.version),
            seen=asdict(seen.trouble),
            owner=lease.owner,
            until=lease.until,
            now=now,
            columns=GRANT.columns_text,
        )
        return GRANT.read_one(rows)

    async def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        is_renewed = await self._database.run(
            "renew_lease",
            key=key,
            version=version_bytes(version),
            owner=lease.owner,
            until=lease.until,
        )
        return bool(is_renewed)

    async def release_grant(
        self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
    ) -> bool:
        is_released = await self._database.run(
            "release_grant",
            key=key,
            version=version_bytes(version),
            owner=owner,
            trouble=asdict(trouble),
        )
        return bool(is_released)

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        is_written = await self._database.run_durably(
            "replace_grant",
            key=record.key,
            grant=grant_fields(record),
            expected_version=version_bytes(expected_version),
        )
        if not is_written:
            raise StoreConflict("the grant moved on")

    async def due_grants(self, *, now: int, limit: int) -> Sequence[GrantRecord]:
        rows = await self._database.run(
            "due_grants", now=now, limit=limit, columns=GRANT.columns_text
        )
        return sorted(GRANT.read_all(rows), key=lambda grant: grant.keep_at or now)

    async def end_grant(self, key: bytes, *, now: int) -> RevocationRecord | None:
        ended = await self._database.run_durably("end_grant", key=key, now=now)
        return None if ended is None else read_ended_grant(key, ended, now)
