"""A TCP proxy before a server, which does to its clients what networks do."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto

CHUNK_BYTES = 64 * 1024
LINGER_ZERO = struct.pack("ii", 1, 0)
HOST = "127.0.0.1"


class Fault(Enum):
    """What happens to what passes through."""

    NONE = auto()
    HANG = auto()
    CUT = auto()
    DROP_ANSWERS = auto()


class FaultProxy:
    """Pass bytes to a server and back, and go wrong when told to.

    A fault holds, for open connections too, until `heals` or another fault.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._links: set[Link] = set()
        self.fault = Fault.NONE
        self.latency_seconds = 0.0
        self.answer_bytes = 0
        self.can_flow = asyncio.Event()

    @property
    def port(self) -> int:
        """The port where clients connect; it never changes."""
        return self._port

    @property
    def connection_count(self) -> int:
        """How many connections are open."""
        return len(self._links)

    async def heals(self) -> None:
        """Pass everything again; what hung goes on, what was dropped stays lost."""
        await self._begin(Fault.NONE)

    async def hangs(self) -> None:
        """Accept connections and pass nothing."""
        await self._begin(Fault.HANG)

    async def drops_answers(self) -> None:
        """Pass what clients send, and nothing back on any connection of now, ever."""
        await self._begin(Fault.DROP_ANSWERS)

    async def slows(self, latency_seconds: float) -> None:
        """Keep every answer back for a while."""
        await self._begin(Fault.NONE)
        self.latency_seconds = latency_seconds

    async def cuts(self, answer_bytes: int) -> None:
        """Pass the first bytes of the next answer on each connection, then reset it."""
        self.answer_bytes = answer_bytes
        await self._begin(Fault.CUT)

    def resets(self) -> None:
        """Reset every open connection; new ones may come."""
        for link in list(self._links):
            link.reset()

    async def refuses(self) -> None:
        """Reset every open connection and listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.resets()

    async def _begin(self, fault: Fault) -> None:
        self.fault = fault
        self.latency_seconds = 0.0
        if fault is Fault.HANG:
            self.can_flow.clear()
        else:
            self.can_flow.set()
        await self._listen()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, HOST, self._port, limit=CHUNK_BYTES
            )
            self._port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self, reader, writer)
        self._links.add(link)
        try:
            await link.serve(*self._upstream)
        except (OSError, asyncio.CancelledError):
            link.reset()
        finally:
            self._links.discard(link)


class Link:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(
        self, proxy: FaultProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._client = (reader, writer)
        self._writers = [writer]
        self._is_dumb = False

    async def serve(self, host: str, port: int) -> None:
        """Pass bytes in both directions until one side ends."""
        await self._proxy.can_flow.wait()
        reader, writer = await asyncio.open_connection(host, port, limit=CHUNK_BYTES)
        self._writers.append(writer)
        pumps = [
            asyncio.create_task(self._pass_requests(self._client[0], writer)),
            asyncio.create_task(self._pass_answers(reader, self._client[1])),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for one in self._writers:
                one.close()

    def reset(self) -> None:
        """End both sides with a reset, not a good-bye."""
        for writer in self._writers:
            if not writer.is_closing():
                raw: socket.socket = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            writer.transport.abort()

    async def _pass_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await self._proxy.can_flow.wait()
            writer.write(chunk)
            await writer.drain()

    async def _pass_answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await self._proxy.can_flow.wait()
            if self._proxy.latency_seconds:
                await asyncio.sleep(self._proxy.latency_seconds)
            if self._proxy.fault is Fault.DROP_ANSWERS:
                self._is_dumb = True
            if self._is_dumb:
                continue
            if self._proxy.fault is Fault.CUT:
                writer.write(chunk[: self._proxy.answer_bytes])
                await writer.drain()
                self.reset()
                return
            writer.write(chunk)
            await writer.drain()


@asynccontextmanager
async def fault_proxy(port: int, host: str = HOST) -> AsyncIterator[FaultProxy]:
    """Run a proxy before the server at *host* and *port*; end all it has at the end."""
    proxy = FaultProxy(host, port)
    await proxy.heals()
    try:
        yield proxy
    finally:
        await proxy.refuses()
        proxy.can_flow.set()
        async with asyncio.timeout(10):
            while proxy.connection_count:  # noqa: ASYNC110 - connections end in their own time
                await asyncio.sleep(0.01)
