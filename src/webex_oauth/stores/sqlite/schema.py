"""The table of rows: created in a new file; a file of another layout is refused."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.sqlite.connection import (
    check_sqlite_version,
    connect,
    fault,
    transact,
    use_log,
)
from webex_oauth.stores.sqlite.files import prepare_files

APPLICATION_ID = 0x77784F41
SCHEMA_VERSION = 3
PATIENCE_SECONDS = 0.9

# The name is at most 64 bytes; instants end with the year 9999.
TABLE = """
CREATE TABLE rows (
  kind TEXT NOT NULL CHECK (kind IN ('state', 'session', 'grant', 'revocation', 'key')),
  name BLOB NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  rev INTEGER NOT NULL CHECK (rev BETWEEN 1 AND 1 << 62),
  body BLOB NOT NULL,
  "group" BLOB CHECK (length("group") BETWEEN 1 AND 64),
  at INTEGER CHECK (at BETWEEN 0 AND 253402300799),
  over_at INTEGER CHECK (over_at BETWEEN 0 AND 253402300799),
  UNIQUE (kind, name)
) STRICT
"""
INDEXES = (
    "CREATE INDEX rows_by_at ON rows (kind, at) WHERE at IS NOT NULL",
    "CREATE INDEX rows_by_over_at ON rows (kind, over_at) WHERE over_at IS NOT NULL",
    'CREATE INDEX rows_by_group ON rows (kind, "group", at) WHERE "group" IS NOT NULL',
)
# One statement, because another process may create the table between two.
STATE = """
SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
FROM pragma_application_id, pragma_user_version
"""


def prepare(path: Path) -> None:
    """Create or check the file at *path*, and its table.

    Raises ConfigurationError if an operator has to change something, and StoreUnavailable.
    """
    check_sqlite_version()
    prepare_files(path)
    try:
        with closing(connect(path, PATIENCE_SECONDS)) as connection:
            is_new = has_no_table(connection, path)
            use_log(connection, PATIENCE_SECONDS)
            if is_new:
                transact(connection, partial(_create, path=path), durably=True)
    except sqlite3.Error as error:
        raise fault(error) from error


def has_no_table(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether the file is empty; raise ConfigurationError if it is of another layout."""
    application_id, version, table_count = connection.execute(STATE).fetchone()
    if (application_id, version, table_count) == (0, 0, 0):
        return True
    if application_id != APPLICATION_ID:
        raise ConfigurationError([f"{path} is another program's database: choose another file"])
    if version != SCHEMA_VERSION:
        other = "a newer" if version > SCHEMA_VERSION else "an older"
        raise ConfigurationError(
            [f"{path} was written by {other} webex-oauth: start that one, or choose another file"]
        )
    return False


def _create(connection: sqlite3.Connection, path: Path) -> bool:
    if not has_no_table(connection, path):
        return False
    for statement in (TABLE, *INDEXES):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    return True
