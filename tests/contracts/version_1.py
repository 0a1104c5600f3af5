"""A SQLite file as version 1 left it, with rows."""

import sqlite3
from contextlib import closing
from pathlib import Path

from contracts.rows import ABSOLUTE_SECONDS, LIFETIME_SECONDS, NOW, attempt, grant, name, session

from webex_oauth.stores.sqlite.files import prepare_files
from webex_oauth.stores.sqlite.migrations import STEPS
from webex_oauth.stores.sqlite.schema import APPLICATION_ID

ROWS = 300
DAY = 86_400
ADD_GRANT = (
    "INSERT INTO grants (key, version, sealed, access_expires_at, ends_at) VALUES (?,?,?,?,?)"
)
ADD_SESSION = "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)"
ADD_ATTEMPT = "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)"


def make_version_1(database: Path, rows: int = ROWS) -> None:
    """Make a file with that many grants, each with a session and a finished attempt."""
    prepare_files(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN")
        for statement in STEPS[0]:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        for number in range(1, rows + 1):
            fill(connection, number)
        connection.execute("COMMIT")


def fill(connection: sqlite3.Connection, number: int) -> None:
    record = grant(number)
    ends = (NOW + number, NOW + 90 * DAY + number)
    connection.execute(ADD_GRANT, (record.key, 1, record.sealed, *ends))
    one = session(number, of=number)
    times = (NOW, NOW, NOW + ABSOLUTE_SECONDS)
    connection.execute(ADD_SESSION, (one.digest, one.grant_key, one.sealed, *times))
    begun = attempt(number)
    names = (begun.state_digest, begun.browser_digest, begun.sealed)
    kept_until = NOW + LIFETIME_SECONDS
    outcome = ("finished", name("session", number))
    connection.execute(ADD_ATTEMPT, (*names, begun.expires_at, kept_until, *outcome))
