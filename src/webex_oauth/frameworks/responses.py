"""Requests of Starlette as a door asks about them, and its answers as responses."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webex_oauth.flows.cookies import read_cookies
from webex_oauth.frameworks.answers import Answer
from webex_oauth.frameworks.asked import Asked, public_path

PERSON_ASKED_FOR: Final = "webex_oauth.person_asked_for"
ROOT: Final = "webex_oauth.root"


class PublicRoute(Route):
    """A route below the `root_path`, or whose path is the whole one that browsers see."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        public = super().matches({**scope, "path": public_path(scope), "root_path": ""})
        return super().matches(scope) if public[0] is Match.NONE else public


class PersonalAnswers:
    """Middleware that keeps caches from giving one person's answer to another.

    It also notes below which `root_path` the application is, which routes inside it lengthen.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # One list, whoever copies the scope on the way in.
        asked_for: list[bool] = []
        scope[PERSON_ASKED_FOR] = asked_for
        scope[ROOT] = scope.get("root_path", "")

        async def send_unshared(message: Message) -> None:
            if message["type"] == "http.response.start" and asked_for:
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Cookie")
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_unshared)


def note_person_asked_for(connection: HTTPConnection) -> None:
    """Note that the answer depends on who asks."""
    connection.scope.get(PERSON_ASKED_FOR, []).append(True)


class NothingMore(Response):
    """The response on a WebSocket that is closed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing: the end was the last that a server takes."""


def asked_of(connection: HTTPConnection) -> Asked:
    """Return what decides the answer to a request."""
    scope = connection.scope
    query = scope["query_string"].decode("latin-1")
    path = quote(public_path(scope), safe="/:@!$&'()*+,;=~")
    target = f"{path}?{query}" if query else path
    root = scope.get(ROOT, scope.get("app_root_path", scope.get("root_path", "")))
    return Asked(
        scope.get("method", "GET"),
        target,
        connection.headers,
        read_cookies(scope["headers"]),
        quote(root.rstrip("/")),
        connection.client.host if connection.client else "unknown",
    )


def response_of(answer: Answer, cookies: Iterable[str] = ()) -> Response:
    """Return *answer* as a response that sets *cookies*."""
    return with_cookies(Response(answer.body, answer.status, answer.headers), cookies)


def with_cookies(response: Response, cookies: Iterable[str]) -> Response:
    """Return *response*, which also sets *cookies*."""
    response.raw_headers.extend((b"set-cookie", cookie.encode("ascii")) for cookie in cookies)
    return response
