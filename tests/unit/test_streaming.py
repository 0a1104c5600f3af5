"""Streaming through the transport: answers and requests piece by piece, within bounds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace
from unit.exchange import LIMITS, SHORT
from unit.raw_server import Answering, RawServer, dribble, hang, raw_server, say, say_body
from waiting import until_true

from webex_oauth.errors import DeadlineExceeded, ResponseTooLarge
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.ports import StreamedResponse
from webex_oauth.transport import HttpTransport
from webex_oauth.transport.connection import HELD_BYTES

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024
BIG = replace(LIMITS, max_body_bytes=32 * MIB)
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def between(*answers: Answering) -> AsyncIterator[tuple[HttpTransport, RawServer]]:
    async with raw_server(*answers) as server, HttpTransport() as transport:
        yield transport, server


def get(server: RawServer) -> HttpRequest:
    return HttpRequest("GET", f"{server.origin}/", {"authorization": "Bearer canary"})


def post(server: RawServer, length: int) -> HttpRequest:
    return HttpRequest("POST", f"{server.origin}/", {"content-length": str(length)})


async def body_of(answer: StreamedResponse) -> bytes:
    return b"".join([piece async for piece in answer.pieces])


async def test_the_head_comes_before_the_body_and_pieces_as_they_arrive() -> None:
    may_end = asyncio.Event()

    async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 206 Part\r\nx-a: b\r\ncontent-length: 8\r\n\r\n")
        writer.write(b"one-")
        await may_end.wait()
        writer.write(b"two-")

    async with (
        between(answering) as (transport, server),
        transport.stream(get(server), LIMITS) as answer,
    ):
        assert (answer.status, answer.headers["x-a"]) == (206, "b")
        assert await anext(answer.pieces) == b"one-"
        may_end.set()
        assert await body_of(answer) == b"two-"


@pytest.mark.bound("octets of a streamed answer that wait for their reader")
async def test_a_slow_reader_holds_the_sender_up_and_the_connection_lives_on() -> None:
    size, sent = 24 * MIB, 0

    async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(bytes(64 * 1024))
            await writer.drain()
            sent += 64 * 1024

    async with between(answering, say_body(b"next", close=False)) as (transport, server):
        async with transport.stream(get(server), BIG) as answer:
            await until_true(lambda: sent >= HELD_BYTES)
            await asyncio.sleep(0.3)
            assert sent < size  # the system's buffers hold the rest
            assert len(await body_of(answer)) == size
        async with transport.stream(get(server), BIG) as answer:
            assert await body_of(answer) == b"next"
        assert server.connection_count == 1


async def test_a_whole_answer_that_nobody_read_leaves_a_good_connection() -> None:
    answering = say_body(bytes(HELD_BYTES + 1), close=False)

    async with between(answering, say_body(b"next", close=False)) as (transport, server):
        async with transport.stream(get(server), BIG) as answer:
            await anext(answer.pieces)
            await asyncio.sleep(0.1)
        async with transport.stream(get(server), BIG) as answer:
            assert await body_of(answer) == b"next"


async def test_an_answer_that_is_left_early_costs_its_connection() -> None:
    async with between(dribble(0.01), say_body(b"next")) as (transport, server):
        async with transport.stream(get(server), LIMITS) as answer:
            await anext(answer.pieces)
        async with transport.stream(get(server), LIMITS) as answer:
            assert await body_of(answer) == b"next"
        assert server.connection_count == 2


@pytest.mark.bound("answer to a front end")
@pytest.mark.check("G04", "G05")
async def test_a_body_that_does_not_come_whole_says_why() -> None:
    async with between(say_body(bytes(MIB))) as (transport, server):
        with pytest.raises(ResponseTooLarge):
            async with transport.stream(get(server), SHORT) as answer:
                await body_of(answer)


@pytest.mark.check("G05", "E02")
async def test_a_head_that_does_not_come_is_waited_for_until_the_deadline() -> None:
    async with between(hang()) as (transport, server):
        with pytest.raises(DeadlineExceeded) as raised:
            async with transport.stream(get(server), SHORT):
                pass

    frames = raised.traceback
    assert not any("canary" in repr(frame.locals) for frame in frames if "message" in frame.locals)


async def test_a_request_is_sent_piece_by_piece_as_fast_as_it_is_read() -> None:
    size, may_read, produced = 24 * MIB, asyncio.Event(), 0

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_read.wait()
        assert len(await reader.readexactly(size)) == size
        writer.write(WHOLE)

    async def upload() -> AsyncIterator[bytes]:
        nonlocal produced
        while produced < size:
            produced += 64 * 1024
            yield bytes(64 * 1024)

    async with between(answering) as (transport, server):
        sending = asyncio.create_task(_sent(transport, post(server, size), upload()))
        await until_true(server.was_asked.is_set)
        await asyncio.sleep(0.2)
        assert produced < size
        may_read.set()
        assert await sending == b"ok"


async def _sent(
    transport: HttpTransport, request: HttpRequest, upload: AsyncIterator[bytes]
) -> bytes:
    async with transport.stream(request, BIG, upload) as answer:
        return await body_of(answer)


async def test_an_answer_before_the_request_is_whole_ends_its_connection() -> None:
    refusal = b"HTTP/1.1 413 No\r\ncontent-length: 0\r\n\r\n"

    async def upload() -> AsyncIterator[bytes]:
        yield b"begun"
        await asyncio.Event().wait()

    async with between(say(refusal, close=False), say_body(b"next")) as (transport, server):
        async with transport.stream(post(server, MIB), BIG, upload()) as answer:
            assert answer.status == 413
        async with transport.stream(get(server), BIG) as answer:
            assert await body_of(answer) == b"next"
        assert server.connection_count == 2


async def test_a_request_whose_sender_leaves_is_broken_off() -> None:
    async def upload() -> AsyncIterator[bytes]:
        yield b"begun"
        raise ConnectionResetError

    async with between(hang()) as (transport, server):
        with pytest.raises(ConnectionResetError):
            await _sent(transport, post(server, MIB), upload())
