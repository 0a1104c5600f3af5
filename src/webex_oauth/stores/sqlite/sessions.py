"""Sessions in SQLite; an ended one is gone, and nothing brings it back."""

import sqlite3
from collections.abc import Sequence
from operator import attrgetter

from webex_oauth.stores.sqlite.attempts import rename_session
from webex_oauth.stores.sqlite.grants import delete_grant
from webex_oauth.stores.sqlite.revocations import add_revocation
from webex_oauth.vault.grants import revocation_of
from webex_oauth.vault.records import EndedSession, RevocationRecord, SessionRecord
from webex_oauth.vault.row_values import read_each

FIND = """
SELECT digest, grant_key, sealed, created_at, seen_at, expires_at FROM sessions WHERE digest = ?
"""
ADD = """
INSERT INTO sessions (digest, grant_key, sealed, created_at, seen_at, expires_at)
  VALUES (?, ?, ?, ?, ?, ?)
"""
TOUCH = "UPDATE sessions SET seen_at = ? WHERE digest = ? AND seen_at < ?"
DROP = "DELETE FROM sessions WHERE digest = ?"
END = "DELETE FROM sessions WHERE digest = ? RETURNING grant_key"
END_ALL = "DELETE FROM sessions WHERE grant_key = ?"
OF_GRANT = """
SELECT digest, grant_key, sealed, created_at, seen_at, expires_at
  FROM sessions WHERE grant_key = ? ORDER BY seen_at DESC LIMIT ?
"""
OVER = """
SELECT digest, grant_key, sealed, created_at, seen_at, expires_at FROM sessions
  WHERE digest IN (SELECT digest FROM sessions WHERE expires_at <= :now LIMIT :limit)
    OR digest IN (SELECT digest FROM sessions WHERE seen_at <= :idle_since LIMIT :limit)
"""
IS_NEEDED = """
SELECT EXISTS
  (SELECT 1 FROM sessions WHERE grant_key = ? AND expires_at > ? AND seen_at > ?)
"""
_content = attrgetter("digest", "grant_key", "sealed", "created_at", "seen_at", "expires_at")


def find_session(connection: sqlite3.Connection, digest: bytes) -> SessionRecord | None:
    row = connection.execute(FIND, (digest,)).fetchone()
    return None if row is None else SessionRecord(*row)


def add_session(connection: sqlite3.Connection, record: SessionRecord) -> None:
    """Add a session."""
    connection.execute(ADD, _content(record))


def touch_session(connection: sqlite3.Connection, digest: bytes, seen_at: int) -> None:
    connection.execute(TOUCH, (seen_at, digest, seen_at))


def sessions_of(
    connection: sqlite3.Connection, grant_key: bytes, limit: int
) -> Sequence[SessionRecord]:
    rows = connection.execute(OF_GRANT, (grant_key, limit)).fetchall()
    return read_each(SessionRecord, rows)


def replace_session(
    connection: sqlite3.Connection,
    old_digest: bytes,
    new: SessionRecord,
    attempt_state_digest: bytes,
) -> bool:
    deleted = connection.execute(DROP, (old_digest,))
    if deleted.rowcount == 0:
        return False
    add_session(connection, new)
    rename_session(connection, attempt_state_digest, old_digest, new.digest)
    return True


def over_sessions(
    connection: sqlite3.Connection, now: int, idle_seconds: int, limit: int
) -> Sequence[SessionRecord]:
    bounds = {"now": now, "idle_since": now - idle_seconds, "limit": limit}
    return read_each(SessionRecord, connection.execute(OVER, bounds).fetchall())


def end_session(
    connection: sqlite3.Connection,
    digest: bytes,
    *,
    now: int,
    idle_seconds: int,
    keeps_grants: bool,
) -> EndedSession | None:
    row = connection.execute(END, (digest,)).fetchone()
    if row is None:
        return None
    (grant_key,) = row
    if keeps_grants or _has_live_session(connection, grant_key, now, idle_seconds):
        return EndedSession(grant_key, None)
    return EndedSession(grant_key, _revoke_grant(connection, grant_key, now))


def end_grant(
    connection: sqlite3.Connection, grant_key: bytes, now: int
) -> RevocationRecord | None:
    connection.execute(END_ALL, (grant_key,))
    return _revoke_grant(connection, grant_key, now)


def _revoke_grant(
    connection: sqlite3.Connection, grant_key: bytes, now: int
) -> RevocationRecord | None:
    grant = delete_grant(connection, grant_key)
    if grant is None:
        return None
    revocation = revocation_of(grant, due_at=now)
    add_revocation(connection, revocation)
    return revocation


def _has_live_session(
    connection: sqlite3.Connection, grant_key: bytes, now: int, idle_seconds: int
) -> bool:
    (is_there,) = connection.execute(IS_NEEDED, (grant_key, now, now - idle_seconds)).fetchone()
    return bool(is_there)
