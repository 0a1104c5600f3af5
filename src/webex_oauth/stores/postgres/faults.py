"""What PostgreSQL's errors mean to the vault; class and SQLSTATE decide, never the text."""

import psycopg
from psycopg import errors

from webex_oauth.errors import (
    ConfigurationError,
    StoreConflict,
    StoreError,
    StoreUnavailable,
    WebexOAuthError,
)

UNDONE = (errors.SerializationFailure, errors.DeadlockDetected, errors.ReadOnlySqlTransaction)
CUT_OFF = (errors.AdminShutdown, errors.CrashShutdown)
ELSEWHERE = (errors.ReadOnlySqlTransaction,)


def read_fault(error: psycopg.Error) -> StoreError:
    """Give the error of the tree for one of psycopg's."""
    if isinstance(error, errors.UniqueViolation):
        return StoreConflict("a record with this name is there already")
    return StoreUnavailable(f"the database failed with {name_of_fault(error)}")


def read_opening_fault(error: psycopg.Error) -> WebexOAuthError:
    """Give the error of the tree for one that came before the store was open.

    While a connection is made, all that libpq tells beside its text is that it used a password:
    then it is what it was used for that was refused.
    """
    told = (str(error).splitlines() or [name_of_fault(error)])[0]
    if error.sqlstate is None and error.pgconn is not None and error.pgconn.used_password:
        mistake = f"the database refuses the user, password or database of WEBEX_STORE_URL: {told}"
        return ConfigurationError([mistake])
    return StoreUnavailable(f"the database cannot be used: {told}")


def name_of_fault(error: psycopg.Error) -> str:
    """Name an error in one word, and by its SQLSTATE where it has one."""
    name = type(error).__name__
    return name if error.sqlstate is None else f"{name} ({error.sqlstate})"


def is_undone(error: psycopg.Error) -> bool:
    """Say whether surely nothing happened, and it may work when it is tried again."""
    return isinstance(error, UNDONE)


def is_lost(error: psycopg.Error) -> bool:
    """Say whether the connection ended, and what it was doing may have happened or not."""
    if isinstance(error, CUT_OFF):
        return True
    return isinstance(error, psycopg.OperationalError) and error.sqlstate is None


def breaks_connections(error: psycopg.Error) -> bool:
    """Say whether connections made anew may do better, as those to a new primary do."""
    return isinstance(error, ELSEWHERE)
