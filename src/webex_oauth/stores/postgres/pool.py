"""A connection pool: at most so many connections, each lent to one caller at a time.

A caller who finds none connects within the caller's own time, and learns at once why that fails.
A caller may be cancelled at any moment; its answer never reaches the next one.
"""

import asyncio
import select
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import psycopg
from psycopg import AsyncConnection, waiting
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from webex_oauth.errors import StoreUnavailable
from webex_oauth.secret import Secret
from webex_oauth.stores.store import Places

STOP_SECONDS = 0.5
WAKE_SECONDS = 10.0

FRESH_SECONDS = 600.0
"""How long a connection may stay unused: less than the time after which firewalls forget it."""

RV = TypeVar("RV")


class Connection(AsyncConnection[TupleRow]):
    """A connection that abandons its statement at once if the caller is cancelled.

    psycopg's own would first ask the server to stop, and wait up to ten seconds for that.
    """

    idle_since = 0.0

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = WAKE_SECONDS,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> RV:
        """Wait for the server, and for nothing else."""
        return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)

    @property
    def is_idle(self) -> bool:
        """Whether the next statement may be sent: an abandoned one never ends."""
        return not self.closed and self.pgconn.transaction_status == TransactionStatus.IDLE

    @property
    def is_quiet(self) -> bool:
        """Whether the server has sent nothing since: it could only be that it disconnects."""
        if not self.is_idle or time.monotonic() - self.idle_since > FRESH_SECONDS:
            return False
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return not poll.poll(0)

    def discard(self) -> None:
        """Close without waiting for the server."""
        self.pgconn.finish()


async def connect(conninfo: Secret) -> Connection:
    """Connect without prepared statements: PgBouncer may send each statement elsewhere."""
    return await Connection.connect(conninfo.reveal(), autocommit=True, prepare_threshold=None)


class Pool:
    """A pool that lends the connection used last, so that the others grow old and are closed."""

    def __init__(self, conninfo: Secret, size: int) -> None:
        self._conninfo = conninfo
        self._places = Places(size)
        self._idle: list[Connection] = []
        self._stopping: set[asyncio.Task[None]] = set()
        self.is_open = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection.

        One that comes back in the middle of a statement is not lent again. Raises StoreUnavailable
        if too many callers wait, and psycopg's errors if no connection can be made.
        """
        if not self.is_open:
            raise StoreUnavailable("the store is not open")
        await self._places.enter()
        try:
            connection = await self._take()
        except BaseException:
            self._places.leave()
            raise
        try:
            yield connection
        finally:
            self._take_back(connection)

    def discard_idle(self) -> None:
        """Close the connections that are not lent: the next callers make new ones."""
        while self._idle:
            self._idle.pop().discard()

    async def close(self) -> None:
        """Close what is here now; what is lent is closed when it comes back."""
        self.is_open = False
        self.discard_idle()
        if self._stopping:
            await asyncio.wait(self._stopping)

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_quiet:
                return connection
            connection.discard()
        return await connect(self._conninfo)

    def _take_back(self, connection: Connection) -> None:
        if not connection.closed and not connection.is_idle:
            stopping = asyncio.create_task(self._stop(connection))
            self._stopping.add(stopping)
            stopping.add_done_callback(self._stopping.discard)
            return
        if self.is_open and not connection.closed:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.discard()
        self._places.leave()

    async def _stop(self, connection: Connection) -> None:
        """Ask the server to stop an abandoned statement: it may hold locks."""
        try:
            with suppress(psycopg.Error, OSError, TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await connection.cancel_safe(timeout=STOP_SECONDS)
        finally:
            connection.discard()
            self._places.leave()
