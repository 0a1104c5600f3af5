"""Grants in SQLite, written only over the version that the writer has seen."""

import sqlite3
from collections.abc import Sequence
from operator import attrgetter

from webex_oauth.errors import StoreConflict
from webex_oauth.vault.cooldown import latest_end
from webex_oauth.vault.records import GrantRecord
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
_content = attrgetter(
    *("version", "sealed", "access_expires_at", "ends_at", "keep_at"),
    *("lease_owner", "lease_until", "presented_count", "failure_count", "retry_at"),
)


def find_grant(connection: sqlite3.Connection, key: bytes) -> GrantRecord | None:
    """Find a grant."""
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
    """Write a grant over its expected version; raise StoreConflict when it moved or went."""
    written = connection.execute(REPLACE, (*_content(record), record.key, expected_version))
    if written.rowcount == 0:
        raise StoreConflict("the grant moved on")


def due_grants(connection: sqlite3.Connection, now: int, limit: int) -> Sequence[GrantRecord]:
    """Find grants to renew that nobody is at, the longest due first."""
    bounds = {"now": now, "limit": limit, "latest": latest_end(now)}
    rows = connection.execute(DUE, bounds).fetchall()
    return read_each(lambda row: GrantRecord(*row), rows)


def delete_grant(connection: sqlite3.Connection, key: bytes) -> GrantRecord | None:
    """Delete a grant and give it."""
    row = connection.execute(DELETE, (key,)).fetchone()
    return None if row is None else GrantRecord(*row)
