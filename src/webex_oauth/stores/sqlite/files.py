"""The files: the database, its write-ahead log and its index, readable by their owner alone.

A new file gets its table; one of another layout is refused and left as it is.
"""

import os
import sqlite3
from contextlib import closing, suppress
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
from webex_oauth.vault.private_files import (
    check_private_file,
    check_private_folder,
    create_private_file,
    ensure_private_folder,
)

MAGIC = b"SQLite format 3\x00"
COMPANIONS = ("-wal", "-shm", "-journal")
APPLICATION_ID = 0x77784F41
SCHEMA_VERSION = 5
PATIENCE_SECONDS = 0.9

# Not WITHOUT ROWID: whole rows would lie in the tree that is searched, and few fit into a page.
# Instants end with the year 9999.
CREATE = (
    """
CREATE TABLE rows (
  kind TEXT NOT NULL CHECK (
    kind IN ('state', 'session', 'grant', 'revocation', 'event', 'cursor', 'key')
  ),
  name BLOB NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  rev INTEGER NOT NULL CHECK (rev BETWEEN 1 AND 1 << 62),
  body BLOB NOT NULL,
  "group" BLOB CHECK (length("group") BETWEEN 1 AND 64),
  at INTEGER CHECK (at BETWEEN 0 AND 253402300799),
  over_at INTEGER CHECK (over_at BETWEEN 0 AND 253402300799),
  UNIQUE (kind, name)
) STRICT
""",
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
            is_there = has_table(connection, path)
            use_log(connection, PATIENCE_SECONDS)
            if not is_there:
                transact(connection, partial(create, path=path), durably=True)
    except sqlite3.Error as error:
        raise fault(error) from error


def prepare_files(path: Path) -> None:
    """Create an empty database file if there is none; SQLite gives its mode to the others.

    Raises ConfigurationError if a file is loose or not a database.
    """
    try:
        check_private_folder(path.parent)
        ensure_private_folder(path.parent)
        with suppress(FileExistsError):
            create_private_file(path, b"")
        _check_files(path)
    except OSError as error:
        raise _unusable(error) from error


def check_place(path: Path) -> None:
    """Check what `prepare_files` would find, and create nothing; raise ConfigurationError."""
    try:
        check_private_folder(path.parent)
        with suppress(FileNotFoundError):
            _check_files(path)
    except OSError as error:
        raise _unusable(error) from error


def sync_log(path: Path) -> None:
    """Sync the write-ahead log of the database at *path* to the disk; raise OSError.

    SQLite holds no lock on the log itself, so opening and closing it disturbs no connection.
    """
    log = os.open(path.with_name(f"{path.name}-wal"), os.O_RDONLY)
    try:
        os.fsync(log)
    finally:
        os.close(log)


def has_table(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether the file has its table, or is empty; raise ConfigurationError for others."""
    application_id, version, table_count = connection.execute(STATE).fetchone()
    if (application_id, version) == (APPLICATION_ID, SCHEMA_VERSION):
        return True
    if (application_id, version, table_count) == (0, 0, 0):
        return False
    if application_id != APPLICATION_ID:
        mistake = "is another program's database: choose another file"
    elif version > SCHEMA_VERSION:
        mistake = "was written by a newer webex-oauth: start that one, or choose another file"
    else:
        mistake = (
            "was written by an older webex-oauth, which this one cannot read: move it away or "
            "choose another file, after which everybody signs in again"
        )
    raise ConfigurationError([f"{path} {mistake}"])


def create(connection: sqlite3.Connection, path: Path) -> bool:
    """Create the table inside a transaction; return False if another process was quicker."""
    if has_table(connection, path):
        return False
    for statement in CREATE:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    return True


def _check_files(path: Path) -> None:
    check_private_file(path)
    if not os.access(path, os.W_OK, effective_ids=True):
        raise PermissionError(f"{path} cannot be written: run `chmod 600 {path}`")
    for companion in COMPANIONS:
        with suppress(FileNotFoundError):
            check_private_file(path.with_name(path.name + companion))
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start not in (b"", MAGIC):
        raise ConfigurationError([f"{path} is not a SQLite database: choose another file"])


def _unusable(error: OSError) -> ConfigurationError:
    return ConfigurationError([f"the database of WEBEX_STORE_URL cannot be used: {error}"])
