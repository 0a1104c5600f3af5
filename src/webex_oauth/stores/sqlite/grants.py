"""Grants in SQLite, written only over the version that the writer has seen.

Of those who would refresh one version, the holder of its lease may.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple
from operator import attrgetter

from webex_oauth.errors import StoreConflict
from webex_oauth.vault.cooldown import latest_end
from webex_oauth.vault.records import GrantRecord, Lease, RefreshTrouble
from webex_oauth.vault.row_values import read_each
from webex_oauth.vault.store import ABSENT

FIND = """
SELECT key, version, sealed, access_expires_at, ends_at, keep_at,
    lease_owner, lease_until, presented_count, failure_count, retry_at
  FROM grants WHERE key = ?
"""
ADD = """
INSERT INTO grants
    (key, version, sealed, access_expires_at, ends_at, keep_at,
     lease_owner, lease_until, presented_count, failure_count, retry_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (key) DO NOTHING
"""
REPLACE = """
UPDATE grants
  SET version = ?, sealed = ?, access_expires_at = ?, ends_at = ?, keep_at = ?,
    lease_owner = ?, lease_until = ?, presented_count = ?, failure_count = ?, retry_at = ?
  WHERE key = ? AND version = ?
"""
DUE = """
SELECT key, version, sealed, access_expires_at, ends_at, keep_at,
    lease_owner, lease_until, presented_count, failure_count, retry_at
  FROM grants
  WHERE max(keep_at, retry_at) <= :now AND keep_at IS NOT NULL
    AND lease_until NOT BETWEEN :now + 1 AND :latest
  ORDER BY max(keep_at, retry_at) LIMIT :limit
"""
DELETE = """
DELETE FROM grants WHERE key = ?
  RETURNING key, version, sealed, access_expires_at, ends_at, keep_at,
    lease_owner, lease_until, presented_count, failure_count, retry_at
"""
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
_content = attrgetter(
    *("version", "sealed", "access_expires_at", "ends_at", "keep_at"),
    *("lease_owner", "lease_until", "presented_count", "failure_count", "retry_at"),
)


def find_grant(connection: sqlite3.Connection, key: bytes) -> GrantRecord | None:
    row = connection.execute(FIND, (key,)).fetchone()
    return None if row is None else GrantRecord(*row)


def write_grant(connection: sqlite3.Connection, record: GrantRecord, expected_version: int) -> None:
    """Add a grant that is absent, or write over the expected version; else StoreConflict."""
    if expected_version != ABSENT:
        replace_grant(connection, record, expected_version)
        return
    added = connection.execute(ADD, (record.key, *_content(record)))
    if added.rowcount == 0:
        raise StoreConflict("the grant is there already")


def replace_grant(
    connection: sqlite3.Connection, record: GrantRecord, expected_version: int
) -> None:
    written = connection.execute(REPLACE, (*_content(record), record.key, expected_version))
    if written.rowcount == 0:
        raise StoreConflict("the grant moved on")


def claim_grant(
    connection: sqlite3.Connection, seen: GrantRecord, lease: Lease, now: int
) -> GrantRecord | None:
    trouble = astuple(seen.trouble)
    claim = (lease.owner, lease.until, seen.key, seen.version, now, *trouble)
    row = connection.execute(CLAIM, claim).fetchone()
    return None if row is None else GrantRecord(*row)


def renew_lease(connection: sqlite3.Connection, key: bytes, version: int, lease: Lease) -> bool:
    renewed = connection.execute(RENEW, (lease.until, key, version, lease.owner))
    return renewed.rowcount > 0


def release_grant(
    connection: sqlite3.Connection, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
) -> bool:
    released = connection.execute(RELEASE, (*astuple(trouble), key, version, owner))
    return released.rowcount > 0


def due_grants(connection: sqlite3.Connection, now: int, limit: int) -> Sequence[GrantRecord]:
    bounds = {"now": now, "limit": limit, "latest": latest_end(now)}
    rows = connection.execute(DUE, bounds).fetchall()
    return read_each(GrantRecord, rows)


def delete_grant(connection: sqlite3.Connection, key: bytes) -> GrantRecord | None:
    """Delete a grant and give it."""
    row = connection.execute(DELETE, (key,)).fetchone()
    return None if row is None else GrantRecord(*row)
