"""Connections that are kept for the next request to the same origin."""

import asyncio
import ssl
from collections import deque

from webex_oauth.errors import RequestNotSent
from webex_oauth.transport.connection import Connection
from webex_oauth.transport.message import Origin
from webex_oauth.transport.tunnel import Proxy, open_tunnel

MAX_CONNECTIONS = 256
CONNECT_SECONDS = 5.0
KEEP_SECONDS = 15.0


class Pool:
    """Lend connections, at most MAX_CONNECTIONS at a time.

    A kept connection is closed after KEEP_SECONDS, before servers are likely to close it.
    """

    def __init__(self, tls: ssl.SSLContext, proxy: Proxy | None) -> None:
        self._tls = tls
        self._proxy = proxy
        self._places = asyncio.Semaphore(MAX_CONNECTIONS)
        self._kept: dict[Origin, deque[Connection]] = {}

    async def take(self, origin: Origin, give_up_at: float) -> Connection:
        """Lend a connection, kept or new; every one must be given back.

        *give_up_at* is an instant of the loop's clock. Raises RequestNotSent.
        """
        await self._take_place(give_up_at)
        try:
            return self._find_kept(origin) or await self._open(origin, give_up_at)
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
            raise RequestNotSent("all connections are in use") from None

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

    async def _open(self, origin: Origin, give_up_at: float) -> Connection:
        soon = asyncio.get_running_loop().time() + CONNECT_SECONDS
        try:
            async with asyncio.timeout_at(min(soon, give_up_at)):
                return await self._connect(origin)
        except TimeoutError:
            raise RequestNotSent("no connection in time") from None
        except ssl.SSLError as error:
            raise RequestNotSent(f"no trust in the server: {error.reason}") from error
        except OSError as error:
            raise RequestNotSent(f"no connection: {type(error).__name__}") from error

    async def _connect(self, origin: Origin) -> Connection:
        # Plain http is for this machine alone, where no proxy stands in between.
        if self._proxy is not None and origin.is_tls:
            return await open_tunnel(self._proxy, origin, self._tls)
        _, connection = await asyncio.get_running_loop().create_connection(
            Connection, origin.host, origin.port, ssl=self._tls if origin.is_tls else None
        )
        return connection
