"""The transport, against a server that answers whatever a network can deliver."""

import asyncio
import os
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.exchange import LIMITS, SHORT, exchange, failure
from unit.raw_server import Answering, RawServer, dribble, hang, raw_server, reset, say, say_body
from waiting import SLACK_SECONDS

from webex_oauth.errors import (
    AnswerLost,
    DeadlineExceeded,
    InvalidResponse,
    RequestNotSent,
    UpstreamError,
)
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.transport import HttpTransport
from webex_oauth.transport.connection import Peer, write_request

SECRET = "canary-5d1f0c"


def get(server: RawServer, **headers: str) -> HttpRequest:
    return HttpRequest("GET", f"{server.origin}/path?a=%2F", headers)


def test_a_whole_answer_comes_back_with_names_in_lower_case() -> None:
    answer, _ = exchange(say_body(b'{"a": 1}', b"X-Tracking: T1", b"Content-Type: a/b"))

    assert (answer.status, answer.body) == (200, b'{"a": 1}')
    assert (answer.headers["x-tracking"], answer.headers["content-type"]) == ("T1", "a/b")


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
    assert time.monotonic() - began_at < SLACK_SECONDS


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


@pytest.mark.check("G02")
def test_a_connection_that_went_stale_costs_a_question_nothing() -> None:
    answer, server = exchange(say_body(b"1"), say_body(b"2"), count=2)

    assert answer.body == b"2"
    assert server.connection_count == 2


@pytest.mark.check("G02")
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
@pytest.mark.parametrize("answering", [reset(), hang(), say(b"no http\r\n\r\n")])
def test_a_failure_carries_nothing_of_the_request(answering: Answering) -> None:
    headers = {"authorization": f"Bearer {SECRET}"}

    error = failure(answering, headers=headers, method="POST", limits=SHORT)

    assert [frame for frame in own_frames(error) if SECRET in repr(frame)] == []


def own_frames(error: BaseException | None) -> Iterator[dict[str, object]]:
    """Yield the local variables of the program's frames, of an error and all its causes."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "webex_oauth" in frame.f_code.co_filename and frame.f_code.co_name != "send":
                yield dict(frame.f_locals)
        error = error.__cause__ or error.__context__


@pytest.mark.check("H04", "G07")
def test_a_cancelled_question_leaves_its_answer_to_nobody() -> None:
    async def run() -> bytes:
        slow, quick = hang(), say_body(b"mine", close=False)
        async with raw_server(slow, quick) as server, HttpTransport() as transport:
            cancelled = asyncio.create_task(transport.send(get(server), LIMITS))
            await server.was_asked.wait()
            cancelled.cancel()
            await asyncio.wait([cancelled])
            answer = await transport.send(get(server), LIMITS)
            assert server.connection_count == 2
            return answer.body

    assert asyncio.run(run()) == b"mine"


@pytest.fixture
def hostile_environment(tmp_path: Path) -> Iterator[Path]:
    """Set what other clients obey, and restore it."""
    netrc, key_log = tmp_path / ".netrc", tmp_path / "keys.log"
    netrc.write_text("machine localhost login eve password secret\n")
    netrc.chmod(0o600)
    proxies = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY")
    before = dict(os.environ)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ.pop(name, None)
    os.environ.update(dict.fromkeys(proxies, "http://127.0.0.1:9"))
    os.environ.update(dict.fromkeys(("SSL_CERT_FILE", "SSL_CERT_DIR"), "/nonexistent"))
    os.environ.update(NETRC=str(netrc), HOME=str(tmp_path), SSLKEYLOGFILE=str(key_log))
    yield key_log
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.check("G09")
def test_the_environment_is_not_obeyed(hostile_environment: Path) -> None:
    answer, server = exchange(say_body(b"direct"))

    assert answer.body == b"direct"
    assert "authorization" not in server.heads[0].lower()
    assert not hostile_environment.exists()


@pytest.mark.parametrize(
    ("answering", "kind", "told"),
    [
        (reset(), AnswerLost, "nothing of the answer came"),
        (say(b"HTTP/1.1 200 OK\r\n"), AnswerLost, "only 17 bytes of the answer came"),
        (hang(), DeadlineExceeded, "within 0.4 s: nothing of the answer came"),
        (say(b"no http at all\r\n\r\n"), InvalidResponse, "is not HTTP"),
    ],
    ids=["reset", "half", "hang", "no HTTP"],
)
def test_an_answer_that_does_not_come_is_reported_with_what_came(
    answering: Answering, kind: type[UpstreamError], told: str
) -> None:
    error = failure(answering, method="POST", limits=SHORT)

    assert type(error) is kind
    assert told in str(error)
    assert "localhost:" in str(error)


STANDING = b"user-agent: webex-oauth\r\naccept-encoding: identity\r\n"


@pytest.mark.parametrize(
    ("url", "peer", "host"),
    [
        ("https://webexapis.com/v1", Peer("webexapis.com", 443, is_tls=True), b"webexapis.com"),
        ("http://localhost/v1", Peer("localhost", 80, is_tls=False), b"localhost"),
        ("http://[::1]:8090/v1", Peer("::1", 8090, is_tls=False), b"[::1]:8090"),
        ("https://a.example:65535/v1", Peer("a.example", 65535, is_tls=True), b"a.example:65535"),
    ],
)
def test_a_request_goes_to_its_urls_origin(url: str, peer: Peer, host: bytes) -> None:
    sent_to, message = write_request(HttpRequest("GET", url, {"accept": "*/*"}))

    assert sent_to == peer
    assert message == b"GET /v1 HTTP/1.1\r\nhost: " + host + b"\r\n" + STANDING + (
        b"accept: */*\r\n\r\n"
    )


@pytest.mark.parametrize(("body", "length"), [(b"", b"0"), (b"a=b", b"3")])
def test_a_form_states_its_length_even_when_it_is_empty(body: bytes, length: bytes) -> None:
    _, message = write_request(HttpRequest("POST", "https://webexapis.com/v1", {}, body))

    assert message.endswith(b"\r\ncontent-length: " + length + b"\r\n\r\n" + body)


@pytest.mark.parametrize("method", ["", "get", "GET ", "GET / HTTP/1.1\r\nx: y\r\n\r\nGET", "GÉT"])
def test_a_method_that_could_change_the_request_is_not_sent(method: str) -> None:
    with pytest.raises(RequestNotSent):
        write_request(HttpRequest(method, "https://webexapis.com/v1", {}))


@pytest.mark.parametrize(
    "url",
    [
        *("", "/v1", "ftp://webexapis.com/v1", "https:///v1", "https://:443/v1", "https://[::1/v1"),
        *("https://webexapis.com", "https://webexapis.com:65536/v1", "https://webexapis.com:x/v1"),
        *("https://me@webexapis.com/v1", "https://webexapis.com/a b", "https://webexapis.com/#a"),
        "https://webexapis.com/v1\r\nx: y",
    ],
)
def test_a_url_that_names_no_server_and_path_is_not_sent(url: str) -> None:
    with pytest.raises(RequestNotSent):
        write_request(HttpRequest("GET", url, {}))
