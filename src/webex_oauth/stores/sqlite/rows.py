"""Rows in one SQLite file: reads and small writes on the event loop, the rest in one thread.

Single reads, and small commits that need not be on disk, take about 20 µs on the event loop's own
thread; a hop through the writer's thread costs several times that. The disk follows within
FLUSH_SECONDS. The loop waits for the writer's thread TURN_SECONDS at most, longer than most of its
transactions take, and never for another process: the work then goes through the thread.
"""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from webex_oauth.stores.sqlite.connection import (
    LOCKED,
    TRANSIENT,
    Work,
    code_of,
    connect,
    disconnect,
    fault,
    transact,
)
from webex_oauth.stores.sqlite.files import APPLICATION_ID, prepare
from webex_oauth.stores.sqlite.writer import FOLD_EVERY, Writer
from webex_oauth.stores.store import Store, row_of, rows_of
from webex_oauth.vault.rows import Change, Kind, Row

T = TypeVar("T")

FLUSH_SECONDS = 0.05
TURN_SECONDS = 0.002
NO_PATIENCE = 0.0
NOBODYS = Row(Kind.STATE, b"nobody's")
COLUMNS = 'name, rev, body, "group", at, over_at'
FIND = 'SELECT name, rev, body, "group", at, over_at FROM rows WHERE kind = ? AND name = ?'
LOOK = 'SELECT rowid, rev, "group", at, over_at FROM rows WHERE kind = ? AND name = ?'
BY_NAME = f"SELECT {COLUMNS} FROM rows WHERE kind = ? AND name > ? ORDER BY name LIMIT ?"
DUE = f"SELECT {COLUMNS} FROM rows WHERE kind = ? AND at <= ? ORDER BY at LIMIT ?"
OVER = f"SELECT {COLUMNS} FROM rows WHERE kind = ? AND over_at <= ? ORDER BY over_at LIMIT ?"
OF_GROUP = f"""
SELECT {COLUMNS} FROM rows WHERE kind = ? AND "group" = ? ORDER BY at DESC LIMIT ?
"""
ADD = f"""
INSERT INTO rows (kind, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, name) DO NOTHING
"""
WRITE = """
UPDATE rows SET rev = ?, body = ?, "group" = ?, at = ?, over_at = ? WHERE rowid = ?
"""
WRITE_BODY = "UPDATE rows SET rev = ?, body = ? WHERE rowid = ?"
DELETE = "DELETE FROM rows WHERE rowid = ?"
# Writes to the file's first page what is there already.
BEAT = f"PRAGMA application_id = {APPLICATION_ID}"


class SqliteRows(Store):
    """Rows in one file, shared by the processes of one machine.

    What was not written durably survives the end of the process at once, and a loss of power a
    twentieth of a second later.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = Writer(path)
        self._inline = Inline(path, self._writer)

    async def _open(self) -> None:
        await asyncio.to_thread(prepare, self._path)
        self._writer.start()

    async def _close(self) -> None:
        self._inline.close()
        await self._writer.stop()

    async def check(self) -> None:
        await self._writer.write(_beat, durably=True)
        await self._inline.read(partial(_read, rows=[NOBODYS]))  # the first page may be whole alone

    async def time(self) -> float:
        return time.time()

    async def read(self, *rows: Row) -> Sequence[Row]:
        return await self._inline.read(partial(_read, rows=rows))

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:
        work = partial(apply_changes, changes=changes)
        if durably:
            return await self._writer.write(work, durably=True)
        return await self._inline.write(work)

    async def by_name(self, kind: Kind, after: bytes, limit: int) -> Sequence[Row]:
        return await self._writer.run(_listing(BY_NAME, kind, after, limit))

    async def due(self, kind: Kind, instant: int, limit: int) -> Sequence[Row]:
        return await self._writer.run(_listing(DUE, kind, instant, limit))

    async def over(self, kind: Kind, instant: int, limit: int) -> Sequence[Row]:
        return await self._writer.run(_listing(OVER, kind, instant, limit))

    async def of_group(self, kind: Kind, group: bytes, limit: int) -> Sequence[Row]:
        return await self._inline.read(_listing(OF_GROUP, kind, group, limit))


class Inline:
    """The event loop's connection to the file at *path*, which steps aside for *writer*."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer
        self._connection: sqlite3.Connection | None = None
        self._unflushed = 0

    async def read(self, work: Work[T]) -> T:
        """Run *work*, which only reads."""
        self._writer.check_open()
        try:
            return work(self._connection or self._connected())
        except sqlite3.Error as error:
            self._look_at(error)
            if code_of(error) not in LOCKED:
                raise fault(error) from error
        return await self._writer.run(work)

    async def write(self, work: Work[bool]) -> bool:
        """Run *work* as a transaction that survives the end of this process."""
        self._writer.check_open()
        if self._writer.is_behind or not self._writer.turn.acquire(timeout=TURN_SECONDS):
            return await self._writer.write(work)
        try:
            is_done = transact(self._connected(), work)
        except sqlite3.Error as error:
            # A disk that takes no writes serves this connection's reads, but may refuse a new one.
            if code_of(error) != sqlite3.SQLITE_IOERR:
                self._look_at(error)
            if code_of(error) not in LOCKED | {sqlite3.SQLITE_FULL}:
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

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, NO_PATIENCE)
        return self._connection

    def _look_at(self, error: sqlite3.Error) -> None:
        if code_of(error) not in TRANSIENT:
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


def _beat(connection: sqlite3.Connection) -> bool:
    connection.execute(BEAT)
    return True


def _read(connection: sqlite3.Connection, rows: Sequence[Row]) -> Sequence[Row]:
    found = []
    for row in rows:
        columns = connection.execute(FIND, (row.kind.value, row.name)).fetchone()
        found.append(Row(row.kind, row.name) if columns is None else row_of(row.kind, columns))
    return found


def _listing(statement: str, kind: Kind, start: bytes | int, limit: int) -> Work[Sequence[Row]]:
    values = (kind.value, start, limit)
    return lambda connection: rows_of(kind, connection.execute(statement, values))


def apply_changes(connection: sqlite3.Connection, changes: Sequence[Change]) -> bool:
    return all(_change(connection, change.row, change.over) for change in changes)


def _change(connection: sqlite3.Connection, row: Row, over: int) -> bool:
    """Apply one change; return False, and change nothing, if the row is not at its revision."""
    key, new_hints = (row.kind.value, row.name), [row.group or None, row.at, row.over_at]
    if row.rev and not over:
        return connection.execute(ADD, (*key, row.rev, row.body, *new_hints)).rowcount > 0
    rowid, rev, *hints = connection.execute(LOOK, key).fetchone() or (None, 0)
    if rev != over or row.rev == over:
        return bool(rev == over)
    if not row.rev:
        connection.execute(DELETE, (rowid,))
    elif hints == new_hints:
        # The indexes stay as they are: SQLite would write their pages again.
        connection.execute(WRITE_BODY, (row.rev, row.body, rowid))
    else:
        connection.execute(WRITE, (row.rev, row.body, *new_hints, rowid))
    return True
