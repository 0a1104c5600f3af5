"""Where an answer begins and ends, what it may weigh, and what is no answer at all."""

import asyncio
import gzip
import os
import socket
import zlib
from pathlib import Path

import pytest
from unit.exchange import LIMITS, exchange, failure
from unit.raw_server import Answering, say, say_body

from webex_oauth.errors import AnswerLost, InvalidResponse, ResponseTooLarge
from webex_oauth.ports import Limits
from webex_oauth.transport.connection import MAX_HEAD_FIELDS, HttpConnection

MEBIBYTE = 1024 * 1024


@pytest.mark.check("G03", "B03")
@pytest.mark.parametrize(
    "answering",
    [
        say(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        say(b"HTTP/1.1 abc OK\r\n\r\n"),
        say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        say(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nab"),
        say(b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 1_000_000 + b"\r\n\r\n"),
        say(b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 100_000 + b"\r\n"),
        say(b"\x15\x03\x01\x00\x02\x02\x46"),
    ],
    ids=["SSH", "status", "two lengths", "length", "long header", "many headers", "TLS"],
)
def test_what_is_no_http_is_an_invalid_answer(answering: Answering) -> None:
    assert isinstance(failure(answering), InvalidResponse | AnswerLost)


@pytest.mark.bound("answer to a call")
@pytest.mark.check("G04", "B03")
@pytest.mark.parametrize("excess", [0, 1])
def test_a_body_has_a_limit(excess: int) -> None:
    answering = say_body(b"x" * (LIMITS.max_body_bytes + excess))

    if excess:
        assert type(failure(answering)) is ResponseTooLarge
        return
    answer, _ = exchange(answering)
    assert len(answer.body) == LIMITS.max_body_bytes


@pytest.mark.bound("page of a list")
@pytest.mark.check("G04")
def test_an_endless_body_is_cut() -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    endless = say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", *[chunk] * 64)

    assert type(failure(endless)) is ResponseTooLarge


@pytest.mark.check("G04")
@pytest.mark.parametrize(
    ("body", "coding"),
    [
        *((gzip.compress(b"plain", mtime=0), coding) for coding in (b"gzip", b"x-gzip", b"GZIP")),
        (b"plain", b"\t Identity \t"),
    ],
)
def test_gzip_is_undone_although_it_was_not_asked_for(body: bytes, coding: bytes) -> None:
    answer, _ = exchange(say_body(body, b"content-encoding: " + coding))

    assert answer.body == b"plain"


@pytest.mark.check("G03", "G04")
@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"not gzip", b"gzip"),
        (gzip.compress(b"plain" * 100)[:-9], b"gzip"),
        (b"", b"gzip"),
        (zlib.compress(b"plain"), b"deflate"),
        (b"\x8b\x02\x80plain\x03", b"br"),
        (gzip.compress(gzip.compress(b"plain")), b"gzip, gzip"),
        (gzip.compress(b"plain"), b"gzip\xa0"),
    ],
    ids=["broken", "cut", "empty", "deflate", "br", "twice", "a blank of Unicode"],
)
def test_another_coding_or_a_broken_one_is_an_invalid_answer(body: bytes, coding: bytes) -> None:
    error = failure(say_body(body, b"content-encoding: " + coding))

    assert type(error) is InvalidResponse


@pytest.mark.check("G04", "B03")
def test_a_bomb_is_cut_before_it_takes_memory() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(b"\0" * MEBIBYTE) for _ in range(64)) + packer.flush()
    before = resident_bytes()

    error = failure(
        say_body(bomb, b"content-encoding: gzip"), limits=Limits(5.0, len(bomb) + MEBIBYTE)
    )

    assert type(error) is ResponseTooLarge
    assert resident_bytes() - before < 20 * MEBIBYTE


def resident_bytes() -> int:
    """Return how much memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.bound("head of an answer")
@pytest.mark.check("G04")
@pytest.mark.parametrize(
    "piece", [b"x-a: " + b"b" * 60_000 + b"\r\n", b"b" * 60_000], ids=["many", "one"]
)
def test_trailers_without_end_are_cut(piece: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-a: b"

    assert isinstance(failure(say(head, *[piece] * 200)), InvalidResponse)


def test_a_trailer_is_no_header() -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    answer, _ = exchange(say(head + b"1\r\nx\r\n0\r\nlink: <http://evil.example>\r\n\r\n"))

    assert answer.body == b"x"
    assert "link" not in answer.headers


def test_an_answer_to_no_question_changes_nothing_and_ends_the_connection() -> None:
    first = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1"
    second = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nlink: <http://evil.example>\r\n\r\n2"

    answer, server = exchange(say(first + second, close=False), say_body(b"3"), count=2)

    assert answer.body == b"3"
    assert "link" not in answer.headers
    assert server.connection_count == 2
    alone, _ = exchange(say(first + second, close=False))
    assert (alone.body, "link" in alone.headers) == (b"1", False)


def test_bytes_before_any_request_end_the_connection() -> None:
    async def run() -> bytes:
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        there.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await loop.create_connection(lambda: HttpConnection("webex.example:443"), sock=here)
        there.setblocking(False)
        with there:
            return await asyncio.wait_for(loop.sock_recv(there, 1), LIMITS.deadline_seconds)

    assert asyncio.run(run()) == b""


def test_an_interim_answer_is_not_the_answer() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"

    answer, _ = exchange(say(interim * 2 + b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1"))

    assert (answer.status, answer.body, "link" in answer.headers) == (200, b"1", False)


@pytest.mark.bound("head of an answer")
@pytest.mark.check("G04")
def test_interim_answers_without_end_are_cut() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" * 1000

    assert isinstance(failure(say(*[interim] * 40)), InvalidResponse)


def test_a_header_that_comes_twice_is_one_list() -> None:
    answer, _ = exchange(say_body(b"", b"Link: <a>; rel=prev", b"link: <b>; rel=next"))

    assert answer.headers["link"] == "<a>; rel=prev, <b>; rel=next"


def test_a_body_may_end_with_the_connection() -> None:
    answer, _ = exchange(say(b"HTTP/1.1 200 OK\r\n\r\nall of it"))

    assert answer.body == b"all of it"


@pytest.mark.bound("fields of an answer")
@pytest.mark.check("G04")
@pytest.mark.parametrize("name", [b"x-a", b"x-%d"])
def test_the_fields_of_a_head_have_a_limit(name: bytes) -> None:
    def fields(count: int) -> bytes:
        return b"".join((name % at if b"%" in name else name) + b":\r\n" for at in range(count))

    head = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n"

    assert exchange(say(head + fields(MAX_HEAD_FIELDS - 1) + b"\r\n"))[0].status == 200
    assert type(failure(say(head + fields(MAX_HEAD_FIELDS) + b"\r\n"))) is ResponseTooLarge
