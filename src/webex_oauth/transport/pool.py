"""Connections that are kept for the next request to the same origin."""

import asyncio
from collections import deque

from webex_oauth.errors import RequestNotSent
from webex_oauth.transport.connection import Connection
from webex_oauth.transport.dialing import Dialer
from webex_oauth.transport.message import Origin

MAX_CONNECTIONS = 256
KEEP_SECONDS = 15.0


class Pool:
    """Lend connections, at most MAX_CONNECTIONS at a time.

    A kept connection is closed after KEEP_SECONDS, before servers are likely to close it.
    """

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._places = asyncio.Semaphore(MAX_CONNECTIONS)
        self._kept: dict[Origin, deque[Connection]] = {}

    async def take(self, origin: Origin, give_up_at: float) -> Connection:
        """Lend a connection, kept or new; every one must be given back.

        *give_up_at* is an instant of the loop's clock. Raises RequestNotSent.
        """
        await self._take_place(give_up_at)
        try:
            return self._find_kept(origin) or await self._dialer.open(origin, give_up_at)
        except BaseException:
            self._places.release()
            raise

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """Keep the connection if another exchange may follow."""
        self._places.release()
        if connection.is_reusable:
            connection.idle_since = asyncio.get_running_loop().time()
            self._kept.setdefault(origin, deque()).append(connection)

    def close(self) -> None:
        """Close what is kept."""
        for connections in self._kept.values():
            for connection in connections:
                connection.abort()
        self._kept.clear()

    async def _take_place(self, give_up_at: float) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout_at(give_up_at):
                await self._places.acquire()
        except TimeoutError:
            raise RequestNotSent(f"all {MAX_CONNECTIONS} connections to Webex are in use") from None

    def _find_kept(self, origin: Origin) -> Connection | None:
        kept = self._kept.get(origin)
        if not kept:
            return None
        oldest_good = asyncio.get_running_loop().time() - KEEP_SECONDS
        while kept and kept[0].idle_since < oldest_good:
            kept.popleft().abort()
        while kept:
            connection = kept.pop()
            if connection.is_reusable:
                return connection
        return None
