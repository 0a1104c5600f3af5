"""The pool: at most so many connections, each lent to one caller at a time.

A caller who finds none makes one, within the caller's own time, and learns at once why that fails.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psycopg

from webex_oauth.errors import StoreUnavailable
from webex_oauth.secret import Secret
from webex_oauth.stores.postgres.connection import Connection, connect

MAX_WAITING = 1_000
STOP_SECONDS = 0.5


class Pool:
    """Lend connections; the one used last is lent first, so that the others grow old and go."""

    def __init__(self, conninfo: Secret, size: int) -> None:
        self._conninfo = conninfo
        self._places = asyncio.Semaphore(size)
        self._waiting = 0
        self._idle: list[Connection] = []
        self._stopping: set[asyncio.Task[None]] = set()
        self._is_open = True

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection.

        One that comes back in the middle of something is not lent again. Raises StoreUnavailable
        when too many wait, and psycopg's errors when no connection can be made.
        """
        await self._enter()
        try:
            connection = await self._take()
        except BaseException:
            self._places.release()
            raise
        try:
            yield connection
        finally:
            self._give_back(connection)

    def discard_idle(self) -> None:
        """Close the connections that are not lent: the next callers make new ones."""
        while self._idle:
            self._idle.pop().discard()

    async def close(self) -> None:
        """Close what is here now; what is lent is closed when it comes back."""
        self._is_open = False
        self.discard_idle()
        if self._stopping:
            await asyncio.wait(self._stopping)

    async def _enter(self) -> None:
        if not self._is_open:
            raise StoreUnavailable("the store is not open")
        if self._waiting >= MAX_WAITING:
            raise StoreUnavailable("too many wait for the database")
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_quiet:
                return connection
            connection.discard()
        return await connect(self._conninfo)

    def _give_back(self, connection: Connection) -> None:
        if connection.closed or connection.is_idle:
            self._keep(connection)
            self._places.release()
            return
        stopping = asyncio.create_task(self._stop(connection))
        self._stopping.add(stopping)
        stopping.add_done_callback(self._stopping.discard)

    def _keep(self, connection: Connection) -> None:
        if not self._is_open or connection.closed:
            connection.discard()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)

    async def _stop(self, connection: Connection) -> None:
        """Ask the server to stop what nobody waits for any more: it may hold locks."""
        try:
            with suppress(psycopg.Error, OSError, TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await connection.cancel_safe(timeout=STOP_SECONDS)
        finally:
            connection.discard()
            self._places.release()
