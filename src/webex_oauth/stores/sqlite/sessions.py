"""Sessions in SQLite; an ended one is gone, and nothing brings it back."""

import sqlite3

from webex_oauth.stores.sqlite.grants import delete_grant
from webex_oauth.vault.records import EndedSession, SessionRecord

FIND = """
SELECT digest, grant_key, sealed, created_at, seen_at, expires_at FROM sessions WHERE digest = ?
"""
ADD = """
INSERT INTO sessions (digest, grant_key, sealed, created_at, seen_at, expires_at)
  VALUES (?, ?, ?, ?, ?, ?)
"""
TOUCH = "UPDATE sessions SET seen_at = ? WHERE digest = ? AND seen_at < ?"
DROP = "DELETE FROM sessions WHERE digest = ?"
MOVE_ATTEMPT = "UPDATE attempts SET session_digest = ? WHERE session_digest = ?"
END = "DELETE FROM sessions WHERE digest = ? RETURNING grant_key"
IS_NEEDED = """
SELECT EXISTS
  (SELECT 1 FROM sessions WHERE grant_key = ? AND expires_at > ? AND seen_at > ?)
"""


def find_session(connection: sqlite3.Connection, digest: bytes) -> SessionRecord | None:
    """Find a session."""
    row = connection.execute(FIND, (digest,)).fetchone()
    return None if row is None else SessionRecord(*row)


def add_session(connection: sqlite3.Connection, record: SessionRecord) -> None:
    """Add a session."""
    connection.execute(
        ADD,
        (
            record.digest,
            record.grant_key,
            record.sealed,
            record.created_at,
            record.seen_at,
            record.expires_at,
        ),
    )


def touch_session(connection: sqlite3.Connection, digest: bytes, seen_at: int) -> None:
    """Move `seen_at` forward, never back."""
    connection.execute(TOUCH, (seen_at, digest, seen_at))


def replace_session(connection: sqlite3.Connection, old_digest: bytes, new: SessionRecord) -> bool:
    """Put *new* in the place of a session that is still there."""
    deleted = connection.execute(DROP, (old_digest,))
    if deleted.rowcount == 0:
        return False
    add_session(connection, new)
    connection.execute(MOVE_ATTEMPT, (new.digest, old_digest))
    return True


def end_session(
    connection: sqlite3.Connection, digest: bytes, now: int, idle_seconds: int
) -> EndedSession | None:
    """Delete a session, and its grant when no other live session has it."""
    row = connection.execute(END, (digest,)).fetchone()
    if row is None:
        return None
    (grant_key,) = row
    is_needed = _has_live_session(connection, grant_key, now, idle_seconds)
    return EndedSession(grant_key, None if is_needed else delete_grant(connection, grant_key))


def _has_live_session(
    connection: sqlite3.Connection, grant_key: bytes, now: int, idle_seconds: int
) -> bool:
    (is_there,) = connection.execute(IS_NEEDED, (grant_key, now, now - idle_seconds)).fetchone()
    return bool(is_there)
