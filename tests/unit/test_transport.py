"""The way out, against a server that says whatever a network can say."""

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

from webex_oauth.errors import AnswerLost, DeadlineExceeded, RequestNotSent, UpstreamError
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.transport import HttpTransport

SECRET = "canary-5d1f0c"


def get(server: RawServer, **headers: str) -> HttpRequest:
    return HttpRequest("GET", f"{server.origin}/path?a=%2F", headers)


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

    with pytest.raises(UpstreamError) as caught:
        exchange(answering, headers=headers, method="POST", limits=SHORT)

    assert [frame for frame in own_frames(caught.value) if SECRET in repr(frame)] == []


def own_frames(error: BaseException | None) -> Iterator[dict[str, object]]:
    """Give the local variables of the program's frames, of an error and all that it came from."""
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
