"""Connections to the file: their switches, their transactions, and what SQLite's errors mean."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias, TypeVar

from webex_oauth.errors import ConfigurationError, StoreUnavailable

T = TypeVar("T")
Work: TypeAlias = Callable[[sqlite3.Connection], T]

OLDEST_SQLITE = (3, 37, 0)
RETRY_SECONDS = 0.005

# secure_delete overwrites what is deleted. The write-ahead log is folded back by the writer's
# thread alone, when it is idle, so that no request waits for it.
SWITCHES = (
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = ON",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
)

PRIMARY_CODE = 0xFF
LOCKED = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
# After any other error the connection is replaced before it is used again.
TRANSIENT = LOCKED | {sqlite3.SQLITE_FULL, sqlite3.SQLITE_CONSTRAINT}


def check_sqlite_version(found: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Refuse a SQLite library without strict tables."""
    if found < OLDEST_SQLITE:
        oldest, here = (".".join(map(str, version)) for version in (OLDEST_SQLITE, found))
        raise ConfigurationError([f"SQLite {here} is too old: use a Python with {oldest} or newer"])


def connect(path: Path, patience_seconds: float) -> sqlite3.Connection:
    """Connect to an existing file; each statement waits that long for another process's lock."""
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(
        address, timeout=patience_seconds, isolation_level=None, uri=True, cached_statements=64
    )
    for switch in SWITCHES:
        connection.execute(switch).close()
    return connection


def use_log(connection: sqlite3.Connection, patience_seconds: float) -> None:
    """Switch the file to a write-ahead log, which it then keeps; no lock is needed if it has one.

    SQLite itself does not wait if two connections change the mode of a new file at once.
    """
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError as error:
            if code_of(error) not in LOCKED or time.monotonic() > give_up_at:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


def transact(connection: sqlite3.Connection, work: Work[bool], *, durably: bool = False) -> bool:
    """Run *work* with the write lock held from the start; commit if it returns True, else undo it.

    With *durably* the commit is on disk before this returns.
    """
    if durably:
        connection.execute("PRAGMA synchronous = FULL")
    try:
        connection.execute("BEGIN IMMEDIATE")
        is_done = work(connection)
        connection.execute("COMMIT" if is_done else "ROLLBACK")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    finally:
        if durably:
            with suppress(sqlite3.Error):
                connection.execute("PRAGMA synchronous = NORMAL")
    return is_done


def disconnect(connection: sqlite3.Connection | None) -> None:
    """Close a connection, also one that is broken."""
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()


def fault(error: sqlite3.Error) -> StoreUnavailable:
    """Return the error that callers get for one of SQLite's."""
    if code_of(error) in LOCKED:
        return StoreUnavailable("the database is locked by another process")
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreUnavailable(f"the database failed with {name}")


def code_of(error: sqlite3.Error) -> int:
    """Return the primary code of an error: whether the file is locked, the disk full, and so on."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & PRIMARY_CODE
