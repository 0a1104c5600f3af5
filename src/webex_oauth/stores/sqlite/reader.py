"""The reader: one connection on the event loop's own thread.

One row by its key takes a few microseconds there; a thread in between costs ten times that.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from webex_oauth.stores.sqlite.connection import connect_reader
from webex_oauth.stores.sqlite.faults import breaks_connection, is_locked, read_fault
from webex_oauth.stores.sqlite.transaction import Work
from webex_oauth.stores.sqlite.writer import Writer

T = TypeVar("T")


class Reader:
    """Read at once, or in the writer's thread when somebody holds the file for a moment."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer
        self._connection: sqlite3.Connection | None = None

    async def read(self, work: Work[T]) -> T:
        """Run *work*, which only reads; raise StoreUnavailable when the file cannot be read."""
        try:
            if self._connection is None:
                self._connection = connect_reader(self._path)
            return work(self._connection)
        except sqlite3.Error as error:
            if breaks_connection(error):
                self.close()
            if not is_locked(error):
                raise read_fault(error) from error
        return await self._writer.run(work)

    def close(self) -> None:
        """Let go of the file; the next read opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
