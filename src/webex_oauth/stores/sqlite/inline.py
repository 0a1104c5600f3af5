"""Work on the event loop's own thread: single reads, and small commits that need not be on disk.

Either takes about 20 µs there; a hop through the writer's thread costs several times that. The disk
follows within FLUSH_SECONDS. The loop waits for the writer's thread TURN_SECONDS at most, longer
than most of its transactions take, and never for another process: the work then goes through the
thread.
"""

import asyncio
import sqlite3
from pathlib import Path
from typing import TypeVar

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.sqlite.connection import (
    Work,
    breaks_connection,
    connect,
    disconnect,
    fault,
    is_disk_fault,
    is_full,
    is_locked,
    transact,
)
from webex_oauth.stores.sqlite.writer import FOLD_EVERY, Writer

T = TypeVar("T")

FLUSH_SECONDS = 0.05
TURN_SECONDS = 0.002
NO_PATIENCE = 0.0


class Inline:
    """The event loop's connection to the file at *path*, which steps aside for *writer*."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer
        self._connection: sqlite3.Connection | None = None
        self._unflushed = 0

    async def read(self, work: Work[T]) -> T:
        """Run *work*, which only reads."""
        self._check_open()
        try:
            return work(self._connected())
        except sqlite3.Error as error:
            self._look_at(error)
            if not is_locked(error):
                raise fault(error) from error
        return await self._writer.run(work)

    async def write(self, work: Work[bool]) -> bool:
        """Run *work* as a transaction that survives the end of this process."""
        self._check_open()
        if self._writer.is_behind or not self._writer.turn.acquire(timeout=TURN_SECONDS):
            return await self._writer.write(work)
        try:
            is_done = transact(self._connected(), work)
        except sqlite3.Error as error:
            # A disk that takes no writes serves this connection's reads, but may refuse a new one.
            if not is_disk_fault(error):
                self._look_at(error)
            if not (is_locked(error) or is_full(error)):
                raise fault(error) from error
        else:
            self._flush_soon()
            return is_done
        finally:
            self._writer.turn.release()
        return await self._writer.write(work)

    def close(self) -> None:
        """Disconnect."""
        self._flush()
        self._disconnect()

    def _check_open(self) -> None:
        if not self._writer.is_open:
            raise StoreUnavailable("the store is not open")

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, NO_PATIENCE)
        return self._connection

    def _look_at(self, error: sqlite3.Error) -> None:
        if breaks_connection(error):
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        disconnect(connection)

    def _flush_soon(self) -> None:
        self._unflushed += 1
        if self._unflushed == 1:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush)
        elif self._unflushed >= FOLD_EVERY:
            # A busy loop may not get to its timers for long, and the log would grow.
            self._flush()

    def _flush(self) -> None:
        commit_count, self._unflushed = self._unflushed, 0
        if commit_count:
            self._writer.flush(commit_count)
