"""The tables: made and brought up to date in steps, and refused when they are not ours or newer."""

import sqlite3
from contextlib import closing
from pathlib import Path

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.sqlite.connection import connect_reader, connect_writer
from webex_oauth.stores.sqlite.faults import is_locked, read_fault
from webex_oauth.stores.sqlite.migrations import STEPS
from webex_oauth.stores.sqlite.transaction import transact_durably

APPLICATION_ID = 0x77784F41
SCHEMA_VERSION = len(STEPS)
PATIENCE_SECONDS = 60.0
# One statement: another process may be making the tables between two.
STATE = """
SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
FROM pragma_application_id, pragma_user_version
"""


def prepare_schema(path: Path) -> None:
    """Bring the tables of the file at *path* up to date, all steps in one transaction.

    Of several processes that start together one does it, and the others wait for it; a file that
    is up to date is not written to. Raises ConfigurationError for a file of another kind and
    StoreUnavailable.
    """
    try:
        if not _is_ready(path):
            with closing(connect_writer(path, PATIENCE_SECONDS)) as connection:
                transact_durably(connection, lambda connection: migrate(connection, path))
    except sqlite3.Error as error:
        raise read_fault(error) from error


def _is_ready(path: Path) -> bool:
    try:
        with closing(connect_reader(path)) as connection:
            return _version(connection, path) == SCHEMA_VERSION
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        return False


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Take the steps that are missing, inside a transaction."""
    for step in STEPS[_version(connection, path) :]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Tell the version of the tables, 0 when there are none yet."""
    application_id, version, tables = connection.execute(STATE).fetchone()
    if (application_id, version, tables) == (0, 0, 0):
        return 0
    if application_id != APPLICATION_ID:
        raise ConfigurationError([f"{path} is another program's database: choose another file"])
    if version > SCHEMA_VERSION:
        raise ConfigurationError(
            [f"{path} was written by a newer webex-oauth: start that one, or choose another file"]
        )
    return int(version)
