"""Revocations in SQLite: tokens that wait to be given back."""

import sqlite3
from collections.abc import Sequence
from operator import attrgetter

from webex_oauth.vault.records import RevocationRecord
from webex_oauth.vault.row_values import read_each

ADD = """
INSERT INTO revocations (grant_key, version, sealed, ends_at, due_at, try_count)
  VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (grant_key, version) DO NOTHING
"""
TAKE = """
UPDATE revocations SET due_at = :until, try_count = try_count + 1
  WHERE (grant_key, version) IN
    (SELECT grant_key, version FROM revocations WHERE due_at <= :now
       ORDER BY due_at LIMIT :limit)
  RETURNING grant_key, version, sealed, ends_at, due_at, try_count
"""
POSTPONE = "UPDATE revocations SET due_at = ? WHERE grant_key = ? AND version = ?"
DROP = "DELETE FROM revocations WHERE grant_key = ? AND version = ?"
_content = attrgetter("grant_key", "version", "sealed", "ends_at", "due_at", "try_count")


def add_revocation(connection: sqlite3.Connection, record: RevocationRecord) -> None:
    connection.execute(ADD, _content(record))


def take_revocations(
    connection: sqlite3.Connection, now: int, until: int, limit: int
) -> Sequence[RevocationRecord]:
    bounds = {"now": now, "until": until, "limit": limit}
    return read_each(RevocationRecord, connection.execute(TAKE, bounds).fetchall())


def postpone_revocation(
    connection: sqlite3.Connection, grant_key: bytes, version: int, due_at: int
) -> None:
    connection.execute(POSTPONE, (due_at, grant_key, version))


def drop_revocation(connection: sqlite3.Connection, grant_key: bytes, version: int) -> None:
    connection.execute(DROP, (grant_key, version))
