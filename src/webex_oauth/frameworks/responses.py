"""The answers of a front door as responses of Starlette, and the log of what was refused."""

from collections.abc import Collection, Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from webex_oauth.errors import SignInError, WebexOAuthError
from webex_oauth.flows.failures import FAILURES, PROBLEM_JSON, problem
from webex_oauth.frameworks.answers import CLOSED, Answer, Asked, FrontDoor, failure_of, public_path
from webex_oauth.settings import Settings
from webex_oauth.web.refusals import RefusalLog, reference_id

PERSON_ASKED_FOR: Final = "webex_oauth.person_asked_for"


class PublicRoute(Route):
    """A route whose path is the one that browsers see, also below a `root_path`."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches({**scope, "path": public_path(scope), "root_path": ""})


class PersonalAnswers:
    """Middleware that keeps caches from giving one person's answer to another."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # One list, whoever copies the scope on the way in.
        asked_for: list[bool] = []
        scope[PERSON_ASKED_FOR] = asked_for

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


class StarletteDoor(FrontDoor):
    """A front door that answers in responses, and notes what it refuses."""

    def __init__(
        self,
        settings: Settings,
        login_path: str,
        acting_paths: Iterable[str],
        allowed_orgs: Iterable[str],
    ) -> None:
        super().__init__(settings, login_path, acting_paths, allowed_orgs)
        self._log = RefusalLog()

    async def answer_error(self, connection: HTTPConnection, error: Exception) -> Response:
        """Answer a request that ended in a WebexOAuthError; an exception handler."""
        if not isinstance(error, WebexOAuthError):
            raise TypeError("this answers errors of webex_oauth") from error
        if isinstance(connection, WebSocket):
            await connection.close(1008, type(error).__name__)
            return NothingMore()
        failure = failure_of(error)
        if failure.status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            self._note(connection, failure.name, error)
        reference = reference_id(connection.scope)
        return response_of(self.refusal(asked_of(connection), error, reference))

    def refused(
        self,
        connection: HTTPConnection,
        name: str,
        error: SignInError | None = None,
        *,
        return_to: str = "/",
        scopes: Collection[str] = (),
    ) -> Response:
        """Answer a step of a sign-in or sign-out that ended in the failure *name*."""
        self._note(connection, name, error)
        asked, reference = asked_of(connection), reference_id(connection.scope)
        failure = FAILURES[name]
        return response_of(
            self.failed_sign_in(asked, failure, reference, return_to=return_to, scopes=scopes)
        )

    def problem(self, connection: HTTPConnection, name: str, remedy: str) -> Response:
        """Answer a program whose request ended in the failure *name*."""
        failure = FAILURES[name]
        body = problem(failure, reference_id(connection.scope), remedy=remedy)
        return Response(body, failure.status, CLOSED, PROBLEM_JSON)

    def _note(self, connection: HTTPConnection, name: str, error: WebexOAuthError | None) -> None:
        client = connection.client
        self._log.note(
            name,
            str(error or FAILURES[name].title),
            peer=client.host if client else "unknown",
            exc_info=error if name == "unexpected" else None,
            reference=reference_id(connection.scope),
        )


def asked_of(connection: HTTPConnection) -> Asked:
    """Return what decides the answer to a request."""
    scope = connection.scope
    query = scope["query_string"].decode("latin-1")
    path = quote(public_path(scope), safe="/:@!$&'()*+,;=~")
    target = f"{path}?{query}" if query else path
    return Asked(scope.get("method", "GET"), target, connection.headers)


def response_of(answer: Answer, cookies: Iterable[str] = ()) -> Response:
    """Return *answer* as a response that sets *cookies*."""
    return with_cookies(Response(answer.body, answer.status, answer.headers), cookies)


def with_cookies(response: Response, cookies: Iterable[str]) -> Response:
    """Return *response*, which also sets *cookies*."""
    response.raw_headers.extend((b"set-cookie", cookie.encode("ascii")) for cookie in cookies)
    return response
