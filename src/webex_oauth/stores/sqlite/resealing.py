"""Resealing in SQLite: all rows of a kind, page by page, and a new seal in the place of the old."""

import sqlite3
from collections.abc import Sequence

from webex_oauth.vault.records import (
    AttemptRecord,
    GrantRecord,
    RevocationRecord,
    SealedRecord,
    SessionRecord,
    name_of,
)
from webex_oauth.vault.row_values import read_each
from webex_oauth.vault.store import Row

VERSION_BYTES = 8

PAGES: dict[type[SealedRecord], str] = {
    AttemptRecord: """
    SELECT state_digest, browser_digest, sealed, expires_at
      FROM attempts WHERE state_digest > ? ORDER BY state_digest LIMIT ?
    """,
    SessionRecord: """
    SELECT digest, grant_key, sealed, created_at, seen_at, expires_at
      FROM sessions WHERE digest > ? ORDER BY digest LIMIT ?
    """,
    GrantRecord: """
    SELECT key, version, sealed, access_expires_at, ends_at, keep_at,
        lease_owner, lease_until, presented_count, failure_count, retry_at
      FROM grants WHERE key > ? ORDER BY key LIMIT ?
    """,
    RevocationRecord: """
    SELECT grant_key, version, sealed, ends_at, due_at, try_count
      FROM revocations WHERE (grant_key, version) > (?, ?) ORDER BY grant_key, version LIMIT ?
    """,
}
RESEAL: dict[type[SealedRecord], str] = {
    AttemptRecord: "UPDATE attempts SET sealed = ? WHERE state_digest = ? AND sealed = ?",
    SessionRecord: "UPDATE sessions SET sealed = ? WHERE digest = ? AND sealed = ?",
    GrantRecord: "UPDATE grants SET sealed = ? WHERE key = ? AND sealed = ?",
    RevocationRecord: """
    UPDATE revocations SET sealed = ? WHERE grant_key = ? AND version = ? AND sealed = ?
    """,
}


def scan(
    connection: sqlite3.Connection, kind: type[Row], after: bytes, limit: int
) -> Sequence[Row]:
    rows = connection.execute(PAGES[kind], (*_parts(kind, after), limit)).fetchall()
    return read_each(kind, rows)


def reseal(connection: sqlite3.Connection, record: SealedRecord, sealed: bytes) -> bool:
    kind = type(record)
    written = connection.execute(
        RESEAL[kind], (sealed, *_parts(kind, name_of(record)), record.sealed)
    )
    return written.rowcount > 0


def _parts(kind: type[object], name: bytes) -> tuple[bytes | int, ...]:
    """Give the columns that make a name; the empty name stands before all others."""
    if kind is not RevocationRecord:
        return (name,)
    key, version = name[:-VERSION_BYTES], name[-VERSION_BYTES:]
    return key, int.from_bytes(version, "big")
