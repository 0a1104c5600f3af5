"""The pulse: a row that is there to be written, as proof that the file can be."""

import sqlite3


def beat(connection: sqlite3.Connection) -> None:
    """Write."""
    connection.execute("UPDATE pulse SET beats = beats + 1")
