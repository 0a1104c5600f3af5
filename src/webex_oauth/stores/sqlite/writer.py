"""The writer: one thread, one connection, one transaction after the other.

Work that has begun runs to its end in that thread, so that no cancellation can split it; cancelled
before, it never begins.
"""

import asyncio
import logging
import os
import queue
import sqlite3
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.sqlite.connection import (
    TRANSIENT,
    Work,
    code_of,
    connect,
    disconnect,
    fault,
    transact,
)
from webex_oauth.stores.sqlite.files import sync_log
from webex_oauth.stores.store import ANSWER_SECONDS, MAX_WAITING, in_time

T = TypeVar("T")

PATIENCE_SECONDS = 1.0
START_SECONDS = ANSWER_SECONDS - PATIENCE_SECONDS - 0.1
IDLE_SECONDS = 1.0
FOLD_EVERY = 2000
MISPLACED = (
    "the database file was removed or replaced: put it back, or restart every process that uses it"
)

_log = logging.getLogger(__name__)


class _Job(Struct, frozen=True):
    work: Work[Any]
    future: Future[Any]
    start_before: float


class Writer:
    """A thread that runs work on the file at *path*, in the order in which it was asked for.

    `turn` is held while this process writes, so that two of its threads do not meet in SQLite,
    where waiting is measured in milliseconds. `is_behind` is whether the disk refused commits that
    had not waited for it. Once another file, or none, is at the path, nothing is read or written:
    it would be lost with the open file, while new connections see another one.
    """

    def __init__(self, path: Path, idle_seconds: float = IDLE_SECONDS) -> None:
        self.turn = threading.Lock()
        self.is_behind = False
        self._path = path
        self._place = str(path)
        self._idle_seconds = idle_seconds
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None
        self._unfolded = 0
        self._is_full = False

    def start(self) -> None:
        """Start the thread."""
        self._file = _file_at(self._place)
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    def check_open(self) -> None:
        """Raise StoreUnavailable if the thread takes no work, or the file is not at its path."""
        if self._thread is None:
            raise StoreUnavailable("the store is not open")
        if _file_at(self._place) != self._file:
            raise StoreUnavailable(MISPLACED)

    async def stop(self) -> None:
        """Finish the work in the queue, then end the thread.

        It uses no executor: there is none any more when a program ends without closing.
        """
        if self._thread is None:
            return
        self._thread = None
        with suppress(StoreUnavailable):
            async with in_time():
                self._jobs.put(None)
                await asyncio.wrap_future(self._ended)

    async def write(self, work: Work[bool], *, durably: bool = False) -> bool:
        """Run *work* as a transaction that survives the end of this process.

        With *durably* it survives a loss of power too.
        """
        return await self.run(partial(self._transact, work=work, durably=durably))

    async def run(self, work: Work[T]) -> T:
        """Run *work* outside a transaction.

        Raises StoreUnavailable if there is no answer within two seconds.
        """
        self.check_open()
        future: Future[T] = Future()
        if self._jobs.qsize() >= MAX_WAITING:
            raise StoreUnavailable("too many calls are waiting for the database")
        self._jobs.put(_Job(work, future, time.monotonic() + START_SECONDS))
        async with in_time():
            return await asyncio.wrap_future(future)

    def flush(self, commit_count: int) -> None:
        """Sync, soon, that many commits that did not wait for the disk."""
        if self._thread is not None and self._jobs.qsize() < MAX_WAITING:
            self._jobs.put(_Job(partial(self._flush, commit_count), Future(), float("inf")))

    def _run(self) -> None:
        while (job := self._next_job()) is not None:
            if job.future.set_running_or_notify_cancel():
                self._do(job)
            self._fold_if_due()
        self._disconnect()
        self._ended.set_result(None)

    def _next_job(self) -> _Job | None:
        if self._unfolded:
            with suppress(queue.Empty):
                return self._jobs.get(timeout=self._idle_seconds)
            self._fold("TRUNCATE")
        return self._jobs.get()

    def _do(self, job: _Job) -> None:
        try:
            job.future.set_result(self._answer(job))
        except Exception as error:  # noqa: BLE001 - the thread's edge: the caller gets it
            job.future.set_exception(error)

    def _answer(self, job: _Job) -> object:
        if time.monotonic() > job.start_before:
            raise StoreUnavailable("the database is busy: what came before took too long")
        try:
            return self._attempt(job.work)
        except sqlite3.Error as error:
            if code_of(error) not in TRANSIENT:
                self._disconnect()
            raise fault(error) from error

    def _attempt(self, work: Work[T]) -> T:
        """Run *work*; if the disk is full, fold the log, which may be what fills it, and retry."""
        if self._connection is None:
            self._connection = connect(self._path, PATIENCE_SECONDS)
        self._unfolded += 1
        try:
            return work(self._connection)
        except sqlite3.Error as error:
            if code_of(error) != sqlite3.SQLITE_FULL:
                raise
            self._is_full = True
            self._fold("TRUNCATE")
            if self._is_full:
                raise
            return work(self._connection)

    def _transact(self, connection: sqlite3.Connection, work: Work[bool], *, durably: bool) -> bool:
        # Commits that the disk does not take must not be promised, nor can their log be folded.
        is_synced = durably or self.is_behind
        before = connection.total_changes
        with self.turn:
            is_done = transact(connection, work, durably=is_synced)
        if is_synced and is_done and connection.total_changes > before:
            self.is_behind = False
        return is_done

    def _fold_if_due(self) -> None:
        # Not PASSIVE, which never gets to the end of a log that others write to.
        if self._is_full:
            self._fold("TRUNCATE")
        elif self._unfolded >= FOLD_EVERY:
            self._fold("RESTART")

    def _fold(self, mode: str) -> None:
        """Fold the write-ahead log back into the file; TRUNCATE also empties it."""
        self._unfolded = 0
        if self._connection is not None:
            with suppress(sqlite3.Error), self.turn:
                fold = self._connection.execute(f"PRAGMA wal_checkpoint({mode})")
                is_cut_short, _, _ = fold.fetchone()
                self._is_full = self._is_full and bool(is_cut_short)

    def _flush(self, commit_count: int, _: sqlite3.Connection) -> None:
        # Not a durable commit: that would hold the lock while the disk works.
        self._unfolded += commit_count
        try:
            sync_log(self._path)
        except OSError as error:
            self.is_behind = True
            _log.warning(
                "the disk did not take the database's log; the next write tries again: %(error)s",
                {"error": type(error).__name__},
            )

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        disconnect(connection)


def _file_at(path: str) -> tuple[int, int] | None:
    """Return which file is at *path*; None if none can be found there."""
    try:
        found = os.stat(path)  # noqa: PTH116 - before each call, and four times as quick as a Path's
    except OSError:
        return None
    return found.st_dev, found.st_ino
