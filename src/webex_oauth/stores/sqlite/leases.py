"""Leases in SQLite: of those who would refresh one version of a grant, one may."""

import sqlite3

from webex_oauth.vault.records import GrantRecord, Lease, RefreshTrouble

CLAIM = """
UPDATE grants
  SET lease_owner = ?, lease_until = ?, presented_count = presented_count + 1
  WHERE key = ? AND version = ? AND lease_until <= ?
    AND presented_count = ? AND failure_count = ? AND retry_at = ?
  RETURNING key, version, sealed, access_expires_at, ends_at, keep_at,
    lease_owner, lease_until, presented_count, failure_count, retry_at
"""
RENEW = """
UPDATE grants SET lease_until = max(lease_until, ?)
  WHERE key = ? AND version = ? AND lease_owner = ?
"""
RELEASE = """
UPDATE grants
  SET lease_owner = NULL, lease_until = 0, presented_count = ?, failure_count = ?, retry_at = ?
  WHERE key = ? AND version = ? AND lease_owner = ?
"""


def claim_grant(
    connection: sqlite3.Connection, seen: GrantRecord, lease: Lease, now: int
) -> GrantRecord | None:
    """Put the row that was seen under a lease, unless another lease lasts."""
    row = connection.execute(
        CLAIM,
        (
            lease.owner,
            lease.until,
            seen.key,
            seen.version,
            now,
            seen.presented_count,
            seen.failure_count,
            seen.retry_at,
        ),
    ).fetchone()
    return None if row is None else GrantRecord(*row)


def renew_lease(connection: sqlite3.Connection, key: bytes, version: int, lease: Lease) -> bool:
    """Move the end of a lease forward."""
    renewed = connection.execute(RENEW, (lease.until, key, version, lease.owner))
    return renewed.rowcount > 0


def release_grant(
    connection: sqlite3.Connection, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
) -> bool:
    """End *owner*'s lease on a version, and keep what the refresh left behind."""
    released = connection.execute(
        RELEASE,
        (
            trouble.presented_count,
            trouble.failure_count,
            trouble.retry_at,
            key,
            version,
            owner,
        ),
    )
    return released.rowcount > 0
