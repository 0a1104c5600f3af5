"""The frame answers whatever happens inside it, with every header."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webex_oauth.web.browser_security import security_headers
from webex_oauth.web.frame import MAX_UNDER_WAY, Frame
from webex_oauth.web.refusals import Refused

HEADERS = security_headers("https://spaces.example")
WHOLE: Message = {"type": "http.request", "body": b"", "more_body": False}
GONE: Message = {"type": "http.disconnect"}
NEVER: Message = {}
"""What a peer sends that announces a body and leaves it at that."""

FORM = [(b"content-length", b"2")]


async def at_once() -> None:
    """Read at once."""


async def explode(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's signature
    raise RuntimeError("exploded")


async def explode_halfway(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await explode(scope, receive, send)


async def show_title(scope: Scope, refused: Refused) -> ASGIApp:  # noqa: ARG001 - what a frame calls
    return PlainTextResponse(refused.failure.title, refused.failure.status)


async def show_nothing(scope: Scope, refused: Refused) -> ASGIApp:
    raise RuntimeError(f"no page for {refused.failure.name} at {scope['path']}")


def run(app: ASGIApp, *, can_show: bool = True) -> list[Message]:
    """Send one request through a frame around *app*."""
    return asyncio.run(ask(framed(app, can_show=can_show)))


def framed(app: ASGIApp, *, can_show: bool = True, base: str = "/") -> Frame:
    """Put a frame around *app*."""
    show_failure = show_title if can_show else show_nothing
    return Frame(
        app,
        base=base,
        public_hosts=["spaces.example"],
        open_paths={"/healthz"},
        headers=HEADERS,
        show_failure=show_failure,
    )


async def ask(
    frame: Frame,
    path: str = "/",
    arriving: Message = WHOLE,
    headers: Sequence[tuple[bytes, bytes]] = (),
    read: Callable[[], Awaitable[None]] = at_once,
    more: Mapping[str, str] | None = None,
) -> list[Message]:
    """Send one request to *frame*; return what it sent back. *read* is how its peer reads.

    *more* is what else the scope has.
    """
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"spaces.example"), *headers],
        **(more or {}),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        if arriving is NEVER:
            await asyncio.Event().wait()
        return arriving

    async def send(message: Message) -> None:
        await read()
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


def test_a_websocket_is_refused_and_is_no_mistake_of_ours() -> None:
    sent = asyncio.run(ask(framed(explode), more={"type": "websocket"}))

    assert sent == [{"type": "websocket.close"}]


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


async def say_done(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("done")(scope, receive, send)


@pytest.mark.check("D18", "H10")
def test_peers_whose_forms_do_not_come_take_no_place() -> None:
    async def crowd() -> int:
        frame = framed(say_done)
        sent = [ask(frame, arriving=NEVER, headers=FORM) for _ in range(MAX_UNDER_WAY)]
        waiting = [asyncio.create_task(one) for one in sent]
        await asyncio.sleep(0)
        served = await ask(frame)
        await end(waiting)
        return int(served[0]["status"])

    assert asyncio.run(crowd()) == 200


@pytest.mark.check("D18", "H10")
def test_peers_that_read_nothing_take_no_place() -> None:
    async def crowd() -> tuple[int, int]:
        frame, is_read = framed(say_done), asyncio.Event()

        async def wait_to_read() -> None:
            await is_read.wait()

        unread = [ask(frame, read=wait_to_read) for _ in range(MAX_UNDER_WAY)]
        waiting = [asyncio.create_task(one) for one in unread]
        await asyncio.sleep(0)
        served = await ask(frame)
        is_read.set()
        answers = await asyncio.gather(*waiting)
        return int(served[0]["status"]), sum(one[0]["status"] == 200 for one in answers)

    assert asyncio.run(crowd()) == (200, MAX_UNDER_WAY)


async def end(tasks: Sequence["asyncio.Task[list[Message]]"]) -> None:
    """Cancel tasks, and wait until they are over."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.mark.check("D18")
def test_a_form_is_handed_over_whole() -> None:
    body: Message = {"type": "http.request", "body": b"ab", "more_body": False}

    _, answer = asyncio.run(ask(framed(read_form), arriving=body, headers=FORM))

    assert answer["body"] == b"2"


@pytest.mark.parametrize(
    ("base", "path", "whole", "more"),
    [
        ("/", "/login", "/login", {}),
        ("/webex/", "/webex/login", "/webex/login", {}),
        ("/webex/", "/webex/login", "/webex/login", {"root_path": "/webex"}),
        ("/webex/", "/login", "/webex/login", {}),
        ("/webex/", "/", "/webex/", {}),
        ("/webex/", "/webex", "/webex", {}),
        ("/webex/", "//login", "/webex//login", {}),
        ("/login/", "/login", "/login/login", {}),
        ("/api/webex/", "/webex/login", "/api/webex/login", {"root_path": "/webex"}),
        (
            "/api/webex/",
            "/webex/login",
            "/api/webex/login",
            {"root_path": "/api/webex", "app_root_path": "/api"},
        ),
    ],
)
def test_a_path_is_the_browsers_whatever_was_taken_off_on_the_way(
    base: str, path: str, whole: str, more: dict[str, str]
) -> None:
    async def tell_path(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(scope["path"])(scope, receive, send)

    _, body = asyncio.run(ask(framed(tell_path, base=base), path, more=more))

    assert body["body"].decode() == whole
