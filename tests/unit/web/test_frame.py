"""The frame answers whatever happens inside it, with every header."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webex_oauth.web.failures import Failure
from webex_oauth.web.frame import Frame, security_headers

HEADERS = security_headers(["https://webexapis.com"], is_https=True)


async def explode(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's signature
    raise RuntimeError("exploded")


async def explode_halfway(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await explode(scope, receive, send)


async def show_title(scope: Scope, failure: Failure) -> ASGIApp:  # noqa: ARG001 - what a frame calls
    return PlainTextResponse(failure.title, failure.status)


async def show_nothing(scope: Scope, failure: Failure) -> ASGIApp:
    raise RuntimeError(f"no page for {failure.name} at {scope['path']}")


def run(app: ASGIApp, *, can_show: bool = True) -> list[Message]:
    """Send one request through a frame around *app*."""
    frame = Frame(
        app,
        public_host="spaces.example",
        headers=HEADERS,
        show_failure=show_title if can_show else show_nothing,
    )
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(b"host", b"spaces.example")],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(frame(scope, receive, send))
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
