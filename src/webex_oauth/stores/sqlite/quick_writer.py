"""The quick writer: small transactions on the event loop's own thread.

A small commit that need not reach the disk takes 20 µs there; the way through the writer's thread
costs ten times that. The disk follows within FLUSH_SECONDS. The loop waits for the writer's thread
TURN_SECONDS at most: most of its transactions are over sooner.
"""

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.sqlite.connection import connect_quick_writer
from webex_oauth.stores.sqlite.faults import breaks_connection, is_full, is_locked, read_fault
from webex_oauth.stores.sqlite.transaction import Work, transact
from webex_oauth.stores.sqlite.writer import FOLD_EVERY, Writer

T = TypeVar("T")

FLUSH_SECONDS = 0.05
TURN_SECONDS = 0.002


class QuickWriter:
    """Write at once, or in the writer's thread: while somebody else writes, or to make room."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer
        self._connection: sqlite3.Connection | None = None
        self._flush: asyncio.TimerHandle | None = None
        self._unflushed = 0

    async def write(self, work: Work[T]) -> T:
        """Run *work* as a transaction that survives the end of this process."""
        if not self._writer.is_open:
            raise StoreUnavailable("the store is not open")
        if self._writer.is_behind or not self._writer.turn.acquire(timeout=TURN_SECONDS):
            return await self._writer.write(work)
        try:
            result = self._transact(work)
        except sqlite3.Error as error:
            if breaks_connection(error):
                self._disconnect()
            if not (is_locked(error) or is_full(error)):
                raise read_fault(error) from error
        else:
            self._flush_soon()
            return result
        finally:
            self._writer.turn.release()
        return await self._writer.write(work)

    def _transact(self, work: Work[T]) -> T:
        if self._connection is None:
            self._connection = connect_quick_writer(self._path)
        return transact(self._connection, work)

    def close(self) -> None:
        """Let go of the file."""
        self._cancel_flush()
        self._disconnect()

    def _flush_soon(self) -> None:
        self._unflushed += 1
        if self._unflushed >= FOLD_EVERY:
            # The log would grow as long as a busy loop does not come to its timers.
            self._flush_now()
        elif self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush_now)

    def _flush_now(self) -> None:
        self._cancel_flush()
        commit_count, self._unflushed = self._unflushed, 0
        self._writer.flush(commit_count)

    def _cancel_flush(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
