"""The tables, and the refusal of a file whose tables are not ours or newer than this program."""

import sqlite3
from pathlib import Path

from webex_oauth.errors import ConfigurationError

APPLICATION_ID = 0x77784F41
SCHEMA_VERSION = 1

TABLES = (
    """
    CREATE TABLE attempts (
      state_digest BLOB NOT NULL PRIMARY KEY,
      browser_digest BLOB NOT NULL,
      sealed BLOB NOT NULL,
      expires_at INTEGER NOT NULL,
      kept_until INTEGER NOT NULL,
      state TEXT NOT NULL,
      session_digest BLOB
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX attempts_by_end ON attempts (kept_until)",
    """
    CREATE INDEX attempts_by_session ON attempts (session_digest)
      WHERE session_digest IS NOT NULL
    """,
    # Counting the rows anew for every sign-in would take longer the more there are.
    "CREATE TABLE tally (attempts INTEGER NOT NULL) STRICT",
    "INSERT INTO tally (attempts) VALUES (0)",
    """
    CREATE TRIGGER attempt_added AFTER INSERT ON attempts
      BEGIN UPDATE tally SET attempts = attempts + 1; END
    """,
    """
    CREATE TRIGGER attempt_dropped AFTER DELETE ON attempts
      BEGIN UPDATE tally SET attempts = attempts - 1; END
    """,
    """
    CREATE TABLE sessions (
      digest BLOB NOT NULL PRIMARY KEY,
      grant_key BLOB NOT NULL,
      sealed BLOB NOT NULL,
      created_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX sessions_by_grant ON sessions (grant_key)",
    "CREATE INDEX sessions_by_use ON sessions (seen_at)",
    "CREATE INDEX sessions_by_end ON sessions (expires_at)",
    """
    CREATE TABLE grants (
      key BLOB NOT NULL PRIMARY KEY,
      version INTEGER NOT NULL,
      sealed BLOB NOT NULL,
      access_expires_at INTEGER,
      ends_at INTEGER
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX grants_by_end ON grants (ends_at) WHERE ends_at IS NOT NULL",
    "CREATE TABLE pulse (beats INTEGER NOT NULL) STRICT",
    "INSERT INTO pulse (beats) VALUES (0)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


def prepare_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables in an empty file, inside a transaction.

    Of several processes that start together, one makes them. Raises ConfigurationError for a file
    of another kind.
    """
    if not _is_ready(connection, path):
        for statement in TABLES:
            connection.execute(statement)


def _is_ready(connection: sqlite3.Connection, path: Path) -> bool:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if (application_id, version, tables) == (0, 0, 0):
        return False
    if application_id != APPLICATION_ID:
        raise ConfigurationError([f"{path} is another program's database: choose another file"])
    if version > SCHEMA_VERSION:
        raise ConfigurationError(
            [f"{path} was written by a newer webex-oauth: start that one, or choose another file"]
        )
    return True
