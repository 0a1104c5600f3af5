"""Grants in Redis, written only over the version that the writer has seen."""

from collections.abc import Sequence
from dataclasses import asdict

from webex_oauth.errors import StoreConflict
from webex_oauth.stores.redis.database import Database
from webex_oauth.stores.redis.revocations import read_ended_grant
from webex_oauth.stores.redis.rows import GRANT, grant_fields, version_bytes
from webex_oauth.vault.records import GrantRecord, Lease, RefreshTrouble, RevocationRecord


async def find_grant(database: Database, key: bytes) -> GrantRecord | None:
    """Find a grant."""
    values = await database.command("HMGET", database.row(GRANT.name, key), *GRANT.columns)
    return GRANT.read_found(key, values)


async def claim_grant(
    database: Database, seen: GrantRecord, lease: Lease, now: int
) -> GrantRecord | None:
    """Put the row that was seen under a lease, unless another lease lasts."""
    rows = await database.run_durably(
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


async def renew_lease(database: Database, key: bytes, version: int, lease: Lease) -> bool:
    """Move the end of a lease forward."""
    is_renewed = await database.run(
        "renew_lease",
        key=key,
        version=version_bytes(version),
        owner=lease.owner,
        until=lease.until,
    )
    return bool(is_renewed)


async def release_grant(
    database: Database, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
) -> bool:
    """End *owner*'s lease on a version."""
    is_released = await database.run(
        "release_grant",
        key=key,
        version=version_bytes(version),
        owner=owner,
        trouble=asdict(trouble),
    )
    return bool(is_released)


async def replace_grant(database: Database, record: GrantRecord, expected_version: int) -> None:
    """Write a grant over its expected version; raise StoreConflict when it moved or went."""
    is_written = await database.run_durably(
        "replace_grant",
        key=record.key,
        grant=grant_fields(record),
        expected_version=version_bytes(expected_version),
    )
    if not is_written:
        raise StoreConflict("the grant moved on")


async def due_grants(database: Database, now: int, limit: int) -> Sequence[GrantRecord]:
    """Find grants to renew that nobody is at, the longest due first."""
    rows = await database.run("due_grants", now=now, limit=limit, columns=GRANT.columns_text)
    return sorted(GRANT.read_all(rows), key=lambda grant: grant.keep_at or now)


async def end_grant(database: Database, key: bytes, now: int) -> RevocationRecord | None:
    """Delete a grant with all its sessions, and queue its tokens for revocation."""
    ended = await database.run_durably("end_grant", key=key, now=now)
    return None if ended is None else read_ended_grant(key, ended, now)
