"""Key checks in SQLite: a few rows, one for each key in use."""

import sqlite3

ALL = "SELECT key_id, sealed FROM key_checks"
ADD = "INSERT INTO key_checks (key_id, sealed) VALUES (?, ?) ON CONFLICT (key_id) DO NOTHING"
DROP = "DELETE FROM key_checks WHERE key_id = ?"


def key_checks(connection: sqlite3.Connection) -> dict[str, bytes]:
    return dict(connection.execute(ALL).fetchall())


def add_key_check(connection: sqlite3.Connection, key_id: str, sealed: bytes) -> None:
    connection.execute(ADD, (key_id, sealed))


def drop_key_check(connection: sqlite3.Connection, key_id: str) -> None:
    connection.execute(DROP, (key_id,))
