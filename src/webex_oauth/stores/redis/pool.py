"""A bounded number of connections, each lent to one caller at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias

from webex_oauth.errors import StoreUnavailable

QUEUE_LENGTH = 1_000
CLOSE_SECONDS = 1.0


class LentConnection(Protocol):
    """What is used of redis-py's connections."""

    # There is no public way to see that the other side reset a connection.
    _writer: asyncio.StreamWriter | None

    @property
    def is_connected(self) -> bool:
        """Say whether there is a socket."""
        ...

    async def connect(self) -> None:
        """Dial and greet, unless that was done."""
        ...

    async def can_read(self) -> bool:
        """Say whether the other side closed, or something unread is there."""
        ...

    async def disconnect(self, *, nowait: bool = False) -> None:
        """Close the socket; it can be connected again."""
        ...

    def pack_commands(self, commands: Sequence[Sequence[bytes | str | int]]) -> list[bytes]:
        """Write commands as the protocol wants them."""
        ...

    async def send_packed_command(self, command: Sequence[bytes]) -> None:
        """Send what was packed."""
        ...

    async def read_response(self) -> Any:
        """Read one answer."""
        ...


MakeConnection: TypeAlias = Callable[[], LentConnection]


class Pool:
    """Lend connections.

    A connection on which anything went wrong, a cancelled caller above all, is closed before it is
    lent again: nobody reads an answer to another's question. To give one back needs no await, so
    that no cancellation loses a place; redis-py's own pool takes a lock there.
    """

    def __init__(self, make_connection: MakeConnection, size: int) -> None:
        self._make_connection = make_connection
        self._places = asyncio.Semaphore(size)
        self._idle: list[LentConnection] = []
        self._waiting_count = 0
        self._is_closed = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[LentConnection]:
        """Lend a connection that is ready, and close it when the caller fails or leaves."""
        await self._wait()
        connection = self._idle.pop() if self._idle else self._make_connection()
        try:
            await _get_ready(connection)
            yield connection
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            self._places.release()
            self._idle.append(connection)
        if self._is_closed:
            await connection.disconnect(nowait=True)

    async def close(self) -> None:
        """Close every connection; those that are lent when they come back."""
        self._is_closed = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                for connection in self._idle:
                    await connection.disconnect()
        except TimeoutError:
            for connection in self._idle:
                await connection.disconnect(nowait=True)

    async def _wait(self) -> None:
        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        if self._waiting_count >= QUEUE_LENGTH:
            raise StoreUnavailable("too many wait for the database")
        self._waiting_count += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting_count -= 1


async def _get_ready(connection: LentConnection) -> None:
    if connection.is_connected and await _is_spoilt(connection):
        await connection.disconnect(nowait=True)
    await connection.connect()


async def _is_spoilt(connection: LentConnection) -> bool:
    """Say whether the other side left, or said something that nobody asked for."""
    writer = connection._writer  # noqa: SLF001 - see above
    return writer is None or writer.is_closing() or await connection.can_read()
