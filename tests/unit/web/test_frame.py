"""The frame answers whatever happens inside it, with every header."""

import asyncio
import logging

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webex_oauth.web.failures import Refused
from webex_oauth.web.frame import MAX_UNDER_WAY, Frame, security_headers

HEADERS = security_headers("https://spaces.example")
WHOLE: Message = {"type": "http.request", "body": b"", "more_body": False}
GONE: Message = {"type": "http.disconnect"}


async def explode(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's signature
    raise RuntimeError("exploded")


async def explode_halfway(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await explode(scope, receive, send)


async def show_title(scope: Scope, refused: Refused) -> ASGIApp:  # noqa: ARG001 - what a frame calls
    return PlainTextResponse(refused.failure.title, refused.failure.status)


async def show_nothing(scope: Scope, refused: Refused) -> ASGIApp:
    raise RuntimeError(f"no page for {refused.failure.name} at {scope['path']}")


@pytest.mark.check("D12")
def test_tls_is_remembered_for_a_host_that_is_ours_alone() -> None:
    remembered = {
        origin: b"strict-transport-security" in dict(security_headers(origin))
        for origin in ("https://spaces.example:8443", "https://localhost:8443", "http://localhost")
    }

    assert list(remembered.values()) == [True, False, False]


def run(app: ASGIApp, *, can_show: bool = True) -> list[Message]:
    """Send one request through a frame around *app*."""
    return asyncio.run(ask(framed(app, can_show=can_show)))


def framed(app: ASGIApp, *, can_show: bool = True) -> Frame:
    """Put a frame around *app*."""
    show_failure = show_title if can_show else show_nothing
    hosts = ["spaces.example"]
    return Frame(app, public_hosts=hosts, headers=HEADERS, show_failure=show_failure)


async def ask(frame: Frame, path: str = "/", arriving: Message = WHOLE) -> list[Message]:
    """Send one request to *frame*; give what it sent back."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"spaces.example")],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return arriving

    async def send(message: Message) -> None:
        sent.append(message)

    await frame(scope, receive, send)
    return sent


@pytest.mark.check("E06")
def test_an_exception_inside_becomes_the_page_of_an_unforeseen_failure() -> None:
    start, body = run(explode)

    assert start["status"] == 500
    assert body["body"] == b"Something went wrong here"


@pytest.mark.check("E06", "D11")
def test_a_page_that_fails_itself_is_told_in_plain_text_with_every_header() -> None:
    start, body = run(explode, can_show=False)

    assert start["status"] == 500
    assert body["body"].startswith(b"Something went wrong here. Reference: ")
    assert {name for name, _ in HEADERS} <= {name for name, _ in start["headers"]}


@pytest.mark.check("E06")
def test_an_answer_that_breaks_halfway_is_cut_and_not_continued() -> None:
    with pytest.raises(ConnectionAbortedError):
        run(explode_halfway)


async def read_form(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(str(len(await Request(scope, receive).body())))(scope, receive, send)


@pytest.mark.check("E06")
def test_a_browser_that_leaves_is_no_mistake_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert asyncio.run(ask(framed(read_form), arriving=GONE)) == []

    assert caplog.records == []


@pytest.mark.bound("requests under way")
@pytest.mark.check("D18")
def test_beyond_its_bound_a_request_is_told_to_come_back() -> None:
    is_open = asyncio.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        await is_open.wait()
        await PlainTextResponse("done")(scope, receive, send)

    async def crowd() -> tuple[list[int], list[int]]:
        frame = framed(wait)
        first = [asyncio.create_task(ask(frame)) for _ in range(MAX_UNDER_WAY)]
        await asyncio.sleep(0)
        refused = await ask(frame)
        probing = asyncio.create_task(ask(frame, "/healthz"))
        is_open.set()
        served = [*await asyncio.gather(*first), await probing, await ask(frame)]
        return [refused[0]["status"]], [messages[0]["status"] for messages in served]

    assert asyncio.run(crowd()) == ([503], [200] * (MAX_UNDER_WAY + 2))
