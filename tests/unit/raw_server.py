"""A server that answers with exactly the bytes it is told to, on a socket of its own."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """What the server heard: one entry for each request's head, and how often it was called."""

    origin: str = ""
    heads: list[str] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    connection_count: int = 0


@contextlib.asynccontextmanager
async def raw_server(
    *answers: Answering, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Serve on loopback; the last of *answers* is for every further request."""
    server = RawServer()
    serving: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connection_count += 1
        serving[writer] = asyncio.current_task()
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                server.heads.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
                server.was_asked.set()
                number = min(len(server.heads), len(answers)) - 1
                await answers[number](reader, writer)
                await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.origin = f"{'https' if tls else 'http'}://localhost:{port}"
    try:
        yield server
    finally:
        listening.close()
        for writer, task in serving.items():
            await _end(writer, task)


async def _end(writer: asyncio.StreamWriter, task: "asyncio.Task[None] | None") -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def say(*pieces: bytes, close: bool = True) -> Answering:
    """Send *pieces*."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if close:
            writer.close()

    return answer


def say_body(body: bytes, *headers: bytes, close: bool = True) -> Answering:
    """Send a whole answer."""
    lines = [b"HTTP/1.1 200 OK", b"content-length: %d" % len(body), *headers]
    return say(b"\r\n".join([*lines, b"", body]), close=close)


def reset() -> Answering:
    """Break the connection (TCP RST)."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = writer.transport
        assert isinstance(transport, asyncio.WriteTransport)
        transport.abort()

    return answer


def hang() -> Answering:
    """Say nothing until the other side goes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    return answer


def dribble(pause_seconds: float) -> Answering:
    """Promise a body, and send it byte by byte until the other side goes."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(pause_seconds)

    return answer
