"""SQLite files as other programs use them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


def integrity(database: Path) -> str:
    """Return SQLite's own verdict on a file: "ok", or what is wrong with it."""
    with closing(sqlite3.connect(database)) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
    return str(verdict)


@contextmanager
def being_read(database: Path) -> Iterator[None]:
    """Read the file as a backup does, as long as the block lasts: its log cannot be folded back."""
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM rows").fetchone()
        yield
