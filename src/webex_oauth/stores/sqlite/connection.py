"""Connections to the file, and the switches that make SQLite safe and quick here."""

import sqlite3
import time
from pathlib import Path

from webex_oauth.errors import ConfigurationError, StoreUnavailable
from webex_oauth.stores.sqlite.faults import is_locked

OLDEST_SQLITE = (3, 37, 0)
WRITER_PATIENCE_SECONDS = 1.0
RETRY_SECONDS = 0.005
NO_PATIENCE = 0.0

# secure_delete overwrites what is deleted; the write-ahead log is folded back by the writer's
# thread alone, when it is idle, so that no request waits for it.
SWITCHES = (
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = ON",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
)


def connect_writer(
    path: Path, patience_seconds: float = WRITER_PATIENCE_SECONDS
) -> sqlite3.Connection:
    """Connect to write; waits *patience_seconds* for another process's lock."""
    connection = _connect(path, patience_seconds)
    give_up_at = time.monotonic() + patience_seconds
    # SQLite does not wait by itself where two connections change a new file's mode at once.
    while not _uses_log(connection):
        if time.monotonic() > give_up_at:
            connection.close()
            raise StoreUnavailable("the database is locked by another process")
        time.sleep(RETRY_SECONDS)
    return connection


def connect_quick_writer(path: Path) -> sqlite3.Connection:
    """Connect to write; never waits for a lock."""
    return _connect(path, NO_PATIENCE)


def connect_reader(path: Path) -> sqlite3.Connection:
    """Connect to read only; never waits for a lock."""
    connection = _connect(path, NO_PATIENCE)
    connection.execute("PRAGMA query_only = ON")
    return connection


def check_sqlite_version(found: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Refuse a SQLite library without strict tables."""
    if found < OLDEST_SQLITE:
        oldest, here = (".".join(map(str, version)) for version in (OLDEST_SQLITE, found))
        raise ConfigurationError([f"SQLite {here} is too old: use a Python with {oldest} or newer"])


def _uses_log(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("PRAGMA journal_mode = WAL").close()
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        return False
    return True


def _connect(path: Path, patience_seconds: float) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(
        address, timeout=patience_seconds, isolation_level=None, uri=True, cached_statements=64
    )
    for switch in SWITCHES:
        connection.execute(switch).close()
    return connection
