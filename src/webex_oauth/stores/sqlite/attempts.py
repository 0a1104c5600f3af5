"""Attempts in SQLite; every function is one step of a transaction that the writer runs."""

import sqlite3

from webex_oauth.vault.attempts import (
    TOMBSTONE_SECONDS,
    AttemptState,
    HeldAttempt,
    check_attempt,
    read_state,
)
from webex_oauth.vault.records import AttemptRecord, FinishedAttempt

DROP_OVER = "DELETE FROM attempts WHERE kept_until <= ?"
COUNT = "SELECT attempts FROM tally"
DROP_OLDEST = """
DELETE FROM attempts WHERE state_digest IN
  (SELECT state_digest FROM attempts ORDER BY kept_until LIMIT ?)
"""
ADD = """
INSERT INTO attempts (state_digest, browser_digest, sealed, expires_at, kept_until, state)
  VALUES (?, ?, ?, ?, ?, ?)
"""
FIND = """
SELECT browser_digest, sealed, expires_at, kept_until, state, session_digest
  FROM attempts WHERE state_digest = ? AND kept_until > ?
"""
TAKE = """
UPDATE attempts SET state = ?, kept_until = ?
  WHERE state_digest = ? AND browser_digest = ? AND state = ? AND kept_until > ?
  RETURNING sealed, expires_at
"""
RENAME = "UPDATE attempts SET session_digest = ? WHERE state_digest = ? AND session_digest = ?"
FINISH = """
UPDATE attempts SET state = ?, session_digest = ? WHERE state_digest = ? AND state = ?
"""


def add_attempt(
    connection: sqlite3.Connection, record: AttemptRecord, at_most: int, now: int
) -> None:
    connection.execute(DROP_OVER, (now,))
    (held,) = connection.execute(COUNT).fetchone()
    if held >= at_most:
        connection.execute(DROP_OLDEST, (held + 1 - at_most,))
    connection.execute(
        ADD,
        (
            record.state_digest,
            record.browser_digest,
            record.sealed,
            record.expires_at,
            record.expires_at,
            AttemptState.OPEN.value,
        ),
    )


def take_attempt(
    connection: sqlite3.Connection, state_digest: bytes, browser_digest: bytes, now: int
) -> AttemptRecord | FinishedAttempt:
    taken = (AttemptState.TAKEN.value, now + TOMBSTONE_SECONDS)
    free = (state_digest, browser_digest, AttemptState.OPEN.value, now)
    row = connection.execute(TAKE, (*taken, *free)).fetchone()
    if row is None:
        return check_attempt(_find_attempt(connection, state_digest, now), browser_digest)
    return AttemptRecord(state_digest, browser_digest, *row)


def finish_attempt(
    connection: sqlite3.Connection, state_digest: bytes, session_digest: bytes | None
) -> None:
    """Say what a taken attempt came to."""
    connection.execute(
        FINISH,
        (AttemptState.FINISHED.value, session_digest, state_digest, AttemptState.TAKEN.value),
    )


def rename_session(
    connection: sqlite3.Connection, state_digest: bytes, old_digest: bytes, new_digest: bytes
) -> None:
    """Say which name the session has now that an attempt came to."""
    connection.execute(RENAME, (new_digest, state_digest, old_digest))


def _find_attempt(
    connection: sqlite3.Connection, state_digest: bytes, now: int
) -> HeldAttempt | None:
    row = connection.execute(FIND, (state_digest, now)).fetchone()
    if row is None:
        return None
    browser_digest, sealed, expires_at, kept_until, state, session_digest = row
    record = AttemptRecord(state_digest, browser_digest, sealed, expires_at)
    return HeldAttempt(record, kept_until, read_state(record, state), session_digest)
