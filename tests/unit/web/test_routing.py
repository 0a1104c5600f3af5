"""Routes found by their path, and what Starlette is left with."""

import asyncio

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from webex_oauth.web.application import PathRouter


class Saying:
    """Answer a text and the parameters in the path."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = PlainTextResponse(f"{self._text} {Request(scope).path_params}")
        await response(scope, receive, send)


def route(path: str, text: str, method: str = "GET") -> Route:
    return Route(path, Saying(text), methods=[method])


ROUTES = [
    route("/", "home"),
    route("/page", "first"),
    route("/page", "second"),
    route("/form", "form", "POST"),
    route("/files/{name:path}", "file"),
]


def ask(path: str, method: str = "GET") -> str:
    """Send one request through the router and give the body of its answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("no endpoint reads a body")

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": method, "path": path, "headers": [], "app": None}
    asyncio.run(PathRouter(ROUTES)(scope, receive, send))
    return bytes(sent[-1]["body"]).decode()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/", "home {}"),
        ("/page", "first {}"),
        ("/files/a/b", "file {'name': 'a/b'}"),
        ("/files/{name:path}", "file {'name': '{name:path}'}"),
    ],
)
def test_a_path_finds_its_route(path: str, said: str) -> None:
    assert ask(path) == said


@pytest.mark.parametrize("path", ["/pag", "/page/", "//page", "/PAGE", "", "/%70age"])
def test_another_path_finds_none(path: str) -> None:
    with pytest.raises(HTTPException) as refusal:
        ask(path)

    assert refusal.value.status_code == 404


def test_a_page_answers_head_where_it_answers_get() -> None:
    assert ask("/page", "HEAD") == "first {}"


def test_another_method_is_refused_with_those_there_are() -> None:
    with pytest.raises(HTTPException) as refusal:
        ask("/form", "DELETE")

    assert (refusal.value.status_code, refusal.value.headers) == (405, {"Allow": "POST"})
