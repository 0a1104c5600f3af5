"""What SQLite's errors mean to the vault."""

import sqlite3

from webex_oauth.errors import StoreConflict, StoreError, StoreUnavailable

PRIMARY_CODE = 0xFF
LOCKED = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
PASSING = LOCKED | {sqlite3.SQLITE_FULL, sqlite3.SQLITE_CONSTRAINT}


def read_fault(error: sqlite3.Error) -> StoreError:
    """Give the error of the tree for one of SQLite's."""
    if isinstance(error, sqlite3.IntegrityError):
        return StoreConflict("a record with this name is there already")
    if is_locked(error):
        return StoreUnavailable("the database is locked by another process")
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreUnavailable(f"the database failed with {name}")


def is_locked(error: sqlite3.Error) -> bool:
    """Say whether somebody else holds the lock."""
    return _code(error) in LOCKED


def is_full(error: sqlite3.Error) -> bool:
    """Say whether the disk has no room."""
    return _code(error) == sqlite3.SQLITE_FULL


def breaks_connection(error: sqlite3.Error) -> bool:
    """Say whether the connection should be made anew before it is used again."""
    return _code(error) not in PASSING


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & PRIMARY_CODE
