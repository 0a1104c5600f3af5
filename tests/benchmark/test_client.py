"""What the load generator accepts as an answer, and what it refuses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from bench.client import (
    Answer,
    Browser,
    UnexpectedAnswerError,
    check_rooms,
    connect,
    is_path,
    read_state,
)
from bench.upstream import PERSON_NAME, Account, room_marker


def answer(status: int, body: bytes = b"", location: bytes | None = None) -> Answer:
    headers = [] if location is None else [(b"location", location)]
    return Answer(status, headers, body, None, 0.0)


def page_of(rooms: range) -> bytes:
    return b" ".join(map(room_marker, rooms))


@asynccontextmanager
async def server_that_says(*pieces: bytes) -> AsyncIterator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def test_a_page_with_all_rooms_is_accepted() -> None:
    check_rooms(answer(200, page_of(range(100))), 100)


@pytest.mark.parametrize(
    "unwanted",
    [
        answer(200, page_of(range(99))),
        answer(200, page_of(range(99)) + room_marker(0)),
        answer(200, b""),
        answer(500, page_of(range(100))),
    ],
    ids=["one is missing", "one came twice", "an empty page", "an error page"],
)
def test_anything_else_is_refused(unwanted: Answer) -> None:
    with pytest.raises(UnexpectedAnswerError):
        check_rooms(unwanted, 100)


def test_the_state_is_taken_from_the_redirect_to_webex() -> None:
    redirect = answer(303, location=b"http://127.0.0.1:9/v1/authorize?client_id=C&state=s-1")

    assert read_state(redirect) == "s-1"


def test_the_state_is_taken_from_the_link_to_webex() -> None:
    page = answer(200, b'<a href="http://127.0.0.1:9/v1/authorize?client_id=C&amp;state=s-2">')

    assert read_state(page) == "s-2"


def test_a_page_that_leads_nowhere_starts_no_sign_in() -> None:
    with pytest.raises(UnexpectedAnswerError):
        read_state(answer(200, b"<p>not today</p>"))


def test_the_first_row_is_timed_before_the_last() -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    row = room_marker(0)
    chunks = (b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (row[:4], row[4:], b"tail"))

    async def ask() -> Answer:
        async with server_that_says(head, *chunks, b"0\r\n\r\n") as port:
            connection = await connect(port, marker=row)
            return await connection.ask(b"GET / HTTP/1.1\r\n\r\n")

    timed = asyncio.run(ask())

    assert timed.body == row + b"tail"
    assert timed.first_marker_seconds is not None
    assert timed.first_marker_seconds <= timed.whole_seconds


def test_an_answer_cut_short_is_a_connection_error() -> None:
    async def ask() -> None:
        async with server_that_says(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort") as port:
            await Browser(port).visit("/")

    with pytest.raises(ConnectionError):
        asyncio.run(ask())


@pytest.mark.parametrize(
    ("location", "is_here"),
    [
        ("/index.html", True),
        ("/", True),
        ("//elsewhere.example/", False),
        ("http://127.0.0.1:9/v1/authorize?state=s", False),
    ],
)
def test_only_a_redirect_to_a_path_stays_on_the_server(location: str, is_here: bool) -> None:  # noqa: FBT001 - a parameter of the table
    assert is_path(location) is is_here


@asynccontextmanager
async def server_with(pages: dict[bytes, bytes]) -> AsyncIterator[int]:
    """Serve each page once, to one client, and wait until that hangs up."""
    is_over = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                writer.write(pages.pop(request.split(b" ")[1]))
        writer.close()
        await writer.wait_closed()
        is_over.set()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.wait_for(is_over.wait(), 5)


def test_a_start_may_lead_on_before_it_leads_to_webex() -> None:
    head = b"HTTP/1.1 303 See Other\r\ncontent-length: 0\r\nlocation: %s\r\n\r\n"
    end = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s"
    name = PERSON_NAME.encode()
    pages = {
        b"/": head % b"/start",
        b"/start": head % b"http://127.0.0.1:9/v1/authorize?state=s-1",
        b"/oauth?code=bench-1-0-0&state=s-1": end % (len(name), name),
    }

    async def sign_in() -> None:
        async with server_with(pages) as port:
            browser = Browser(port)
            await browser.sign_in("/", Account(1, 0, 0))
            browser.close()

    asyncio.run(sign_in())

    assert not pages
