"""The way out, against a server that says whatever a network can say."""

import asyncio
import gzip
import os
import socket
import time
import traceback
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from unit.raw_server import (
    Answering,
    RawServer,
    dribble,
    hang,
    raw_server,
    reset,
    say,
    say_body,
)

from webex_oauth.errors import (
    AnswerLost,
    DeadlineExceeded,
    InvalidResponse,
    RequestNotSent,
    ResponseTooLarge,
    UpstreamError,
)
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits
from webex_oauth.transport import HttpTransport

LIMITS = Limits(deadline_seconds=5.0, max_body_bytes=64 * 1024)
SHORT = Limits(deadline_seconds=0.4, max_body_bytes=64 * 1024)
SECRET = "canary-5d1f0c"
MEBIBYTE = 1024 * 1024


def get(server: RawServer, **headers: str) -> HttpRequest:
    return HttpRequest("GET", f"{server.origin}/path?a=%2F", headers)


def exchange(
    *answers: Answering,
    limits: Limits = LIMITS,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    count: int = 1,
) -> tuple[HttpResponse, RawServer]:
    """Send *count* requests with one transport; give the last answer and what was heard."""

    async def run() -> tuple[HttpResponse, RawServer]:
        async with raw_server(*answers) as server, HttpTransport() as transport:
            body = b"a=b" if method == "POST" else b""
            request = HttpRequest(method, f"{server.origin}/path?a=%2F", headers or {}, body)
            for _ in range(count - 1):
                await transport.send(request, limits)
            return await transport.send(request, limits), server

    return asyncio.run(run())


def failure(*answers: Answering, limits: Limits = LIMITS, method: str = "GET") -> UpstreamError:
    """Send one request that fails; give its error, whose type must be exact."""
    with pytest.raises(UpstreamError) as caught:
        exchange(*answers, limits=limits, method=method)
    return caught.value


def test_a_whole_answer_comes_back_with_names_in_lower_case() -> None:
    answer, _ = exchange(say_body(b'{"a": 1}', b"X-Tracking: T1", b"Content-Type: a/b"))

    assert (answer.status, answer.body) == (200, b'{"a": 1}')
    assert (answer.headers["x-tracking"], answer.headers["content-type"]) == ("T1", "a/b")


def test_the_request_is_sent_as_it_was_built() -> None:
    _, server = exchange(say_body(b""), headers={"accept": "application/json"})

    line, *lines = server.heads[0].split("\r\n")
    assert line == "GET /path?a=%2F HTTP/1.1"
    assert {"Accept: application/json", "Accept-Encoding: identity", "User-Agent: webex-oauth"} <= {
        text.title() if text.startswith("accept-enc") else text for text in map(titled, lines)
    }


def titled(line: str) -> str:
    name, colon, value = line.partition(":")
    return f"{name.title()}{colon}{value}"


@pytest.mark.check("G05")
def test_a_refused_connection_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    async def run() -> None:
        async with HttpTransport() as transport:
            await transport.send(HttpRequest("GET", f"http://127.0.0.1:{port}/"), LIMITS)

    with pytest.raises(RequestNotSent):
        asyncio.run(run())


def test_an_unknown_host_was_not_sent() -> None:
    async def run() -> None:
        async with HttpTransport() as transport:
            await transport.send(HttpRequest("GET", "http://no-such-host.invalid/"), LIMITS)

    with pytest.raises(RequestNotSent):
        asyncio.run(run())


def test_a_closed_transport_sends_nothing() -> None:
    async def run() -> None:
        async with HttpTransport() as transport:
            pass
        await transport.send(HttpRequest("GET", "http://127.0.0.1:9/"), LIMITS)

    with pytest.raises(RequestNotSent):
        asyncio.run(run())


@pytest.mark.check("G05")
@pytest.mark.parametrize(
    "answering",
    [
        reset(),
        say(),
        say(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"),
        say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab"),
        say(b"HTTP/1.1 200 OK\r\ncontent-le"),
    ],
    ids=["reset", "nothing", "half a body", "half a chunk", "half a head"],
)
def test_an_answer_that_breaks_off_is_lost(answering: Answering) -> None:
    assert type(failure(answering, method="POST")) is AnswerLost


@pytest.mark.check("G05", "B03")
@pytest.mark.parametrize("answering", [hang(), dribble(0.05)], ids=["nothing", "dribble"])
def test_the_deadline_is_for_the_whole_exchange(answering: Answering) -> None:
    began_at = time.monotonic()

    error = failure(answering, limits=SHORT)

    assert type(error) is DeadlineExceeded
    assert time.monotonic() - began_at < 10 * SHORT.deadline_seconds


@pytest.mark.check("G03", "B03")
@pytest.mark.parametrize(
    "answering",
    [
        say(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        say(b"HTTP/1.1 abc OK\r\n\r\n"),
        say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        say(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nab"),
        say(b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 100_000 + b"\r\n\r\n"),
        say(b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 40_000 + b"\r\n"),
        say(b"\x15\x03\x01\x00\x02\x02\x46"),
    ],
    ids=["SSH", "status", "two lengths", "length", "long header", "many headers", "TLS"],
)
def test_what_is_no_http_is_an_invalid_answer(answering: Answering) -> None:
    assert isinstance(failure(answering), InvalidResponse | AnswerLost)


@pytest.mark.check("G04", "B03")
@pytest.mark.parametrize("excess", [0, 1])
def test_a_body_has_a_limit(excess: int) -> None:
    answering = say_body(b"x" * (LIMITS.max_body_bytes + excess))

    if excess:
        assert type(failure(answering)) is ResponseTooLarge
        return
    answer, _ = exchange(answering)
    assert len(answer.body) == LIMITS.max_body_bytes


@pytest.mark.check("G04")
def test_an_endless_body_is_cut() -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    endless = say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", *[chunk] * 64)

    assert type(failure(endless)) is ResponseTooLarge


@pytest.mark.check("G04")
@pytest.mark.parametrize("coding", [b"gzip", b"x-gzip", b"GZIP"])
def test_gzip_that_was_not_asked_for_is_undone(coding: bytes) -> None:
    answer, _ = exchange(say_body(gzip.compress(b"plain"), b"content-encoding: " + coding))

    assert answer.body == b"plain"


@pytest.mark.check("G04")
def test_a_body_without_coding_stays_as_it_is() -> None:
    answer, _ = exchange(say_body(b"plain", b"content-encoding: identity"))

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
    ],
    ids=["broken", "cut", "empty", "deflate", "br", "twice"],
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
    """Tell how much memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.check("B03", "B04")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_an_order(status: int) -> None:
    line = b"HTTP/1.1 %d Go\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n" % status

    answer, server = exchange(say(line, close=False), headers={"authorization": "Bearer x"})

    assert (answer.status, answer.headers["location"]) == (status, "/elsewhere")
    assert len(server.heads) == 1


def test_no_cookie_is_kept() -> None:
    _, server = exchange(say_body(b"", b"set-cookie: a=b; path=/", close=False), count=2)

    assert len(server.heads) == 2
    assert "cookie" not in server.heads[1].lower()


def test_a_connection_is_used_again() -> None:
    _, server = exchange(say_body(b"", close=False), count=3)

    assert (len(server.heads), server.connection_count) == (3, 1)


def test_a_connection_that_went_stale_costs_a_question_nothing() -> None:
    answer, server = exchange(say_body(b"1"), say_body(b"2"), count=2)

    assert answer.body == b"2"
    assert server.connection_count == 2


def test_a_form_is_never_sent_twice() -> None:
    served = say_body(b"first", close=False)

    with pytest.raises(AnswerLost):
        exchange(served, reset(), served, method="POST", count=2)


@pytest.mark.check("E11")
@pytest.mark.parametrize("value", ["a\r\nx-injected: yes", "a\nb", "a\x00b", "a\rb"])
def test_a_header_with_a_line_break_is_refused_before_it_leaves(value: str) -> None:
    async def run() -> None:
        async with raw_server(say_body(b"")) as server, HttpTransport() as transport:
            with pytest.raises(UpstreamError):
                await transport.send(get(server, authorization=value), LIMITS)
            assert server.heads == []

    asyncio.run(run())


@pytest.mark.check("E02")
def test_a_failure_carries_nothing_of_the_request() -> None:
    with pytest.raises(UpstreamError) as caught:
        exchange(reset(), headers={"authorization": f"Bearer {SECRET}"}, method="POST")

    told = traceback.TracebackException.from_exception(caught.value, capture_locals=False)
    assert SECRET not in "".join(told.format())
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.fixture
def hostile_environment(tmp_path: Path) -> Iterator[Path]:
    """Set what other clients obey, and put it back."""
    netrc, key_log = tmp_path / ".netrc", tmp_path / "keys.log"
    netrc.write_text("machine localhost login eve password secret\n")
    netrc.chmod(0o600)
    hostile = {
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "NETRC": str(netrc),
        "HOME": str(tmp_path),
        "SSL_CERT_FILE": "/nonexistent",
        "SSL_CERT_DIR": "/nonexistent",
        "SSLKEYLOGFILE": str(key_log),
    }
    before = {name: os.environ.get(name) for name in (*hostile, "NO_PROXY", "no_proxy")}
    os.environ.update(hostile)
    os.environ.pop("NO_PROXY", None)
    os.environ.pop("no_proxy", None)
    yield key_log
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@pytest.mark.check("G09")
def test_the_environment_is_not_obeyed(hostile_environment: Path) -> None:
    answer, server = exchange(say_body(b"direct"))

    assert answer.body == b"direct"
    assert "authorization" not in server.heads[0].lower()
    assert not hostile_environment.exists()


def test_a_proxy_that_is_configured_is_used() -> None:
    async def run() -> tuple[HttpResponse, RawServer]:
        async with (
            raw_server(say_body(b"by proxy")) as proxy,
            HttpTransport(proxy=proxy.origin) as transport,
        ):
            request = HttpRequest("GET", "http://webex.invalid/v1/rooms")
            return await transport.send(request, LIMITS), proxy

    answer, proxy = asyncio.run(run())

    assert answer.body == b"by proxy"
    assert proxy.heads[0].startswith("GET http://webex.invalid/v1/rooms HTTP/1.1\r\n")
