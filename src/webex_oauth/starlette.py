"""Sign in with Webex in a Starlette application of yours; FastAPI has `webex_oauth.fastapi`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import isawaitable
from typing import Any, ClassVar, Final, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.websockets import WebSocket

from webex_oauth.errors import WebexOAuthError
from webex_oauth.flows.cookies import CookieJar
from webex_oauth.flows.fetch_metadata import is_foreign
from webex_oauth.frameworks.answers import CLOSED
from webex_oauth.frameworks.door import ANOTHER_SITE, KNOWS_NOBODY, SESSION_KEY, Door, Session
from webex_oauth.frameworks.proxy import METHODS, Proxy
from webex_oauth.frameworks.responses import (
    NothingMore,
    PersonalAnswers,
    PublicRoute,
    asked_of,
    note_person_asked_for,
    response_of,
    with_cookies,
)
from webex_oauth.library.grants import AsyncGrant
from webex_oauth.library.integration import AsyncIntegration
from webex_oauth.settings import Settings

NO_SESSION: Final = (
    "session='host' needs a session of the application: "
    "app.add_middleware(SessionMiddleware, secret_key=...)"
)

OnSignIn: TypeAlias = Callable[[Request, AsyncGrant], Awaitable[Response | None] | Response | None]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
Lifespan: TypeAlias = Callable[[Any], AbstractAsyncContextManager[Any]]


class WebexAuth:
    """Sign-in, callback and sign-out in *app*, and the person of a request.

    Give the parts `router`, `lifespan` and `answer_error` to the application yourself if you leave
    *app* out. *integration* is one that you open and close; else one of *settings*, by default
    those of the environment, lives as long as the application.

    *session* is "cookie" for a session of this library, "host" for `request.session`, and None if
    *on_sign_in* keeps what it needs. That function hears of each sign-in, and may answer it; if it
    raises, the person is not signed in. Paths are below the application's `root_path`, or whole,
    with it; the callback is at that of the redirect URI. If there are *allowed_orgs*, ids of
    organizations, nobody else is admitted.
    """

    router_type: ClassVar[type[Router]] = Router

    def __init__(  # noqa: PLR0913 - each is a choice of the application's own
        self,
        app: Starlette | None = None,
        *,
        settings: Settings | None = None,
        integration: AsyncIntegration | None = None,
        session: Session = "cookie",
        login_path: str = "/login",
        logout_path: str = "/logout",
        session_path: str = "/session",
        allowed_orgs: Iterable[str] = (),
        on_sign_in: OnSignIn | None = None,
    ) -> None:
        self.integration: AsyncIntegration = integration or AsyncIntegration(settings)
        self._lives_elsewhere = integration is not None
        self._session = session
        self.login_path: str = login_path
        self._on_sign_in = on_sign_in
        jar = CookieJar(self.integration.settings.client)
        self.session_cookie: str = jar.session_name if session == "cookie" else "session"
        self._door = Door(
            self.integration,
            session=session,
            login_path=login_path,
            logout_path=logout_path,
            allowed_orgs=allowed_orgs,
            on_sign_in=on_sign_in,
        )
        routes = list(self._routes(logout_path, session_path))
        self.router: Router = self.router_type(routes=routes)
        if app is not None:
            self._install(app)

    def _routes(self, logout_path: str, session_path: str) -> Iterable[Route]:
        callback_path = self.integration.settings.callback_path
        yield self._route(self.login_path, self._begin_sign_in, "GET", "POST")
        yield self._route(callback_path, self._complete_sign_in, "GET")
        if self._session is not None:
            yield self._route(logout_path, self._sign_out, "GET", "POST")
            yield self._route(session_path, self._show_session, "GET")

    def _route(self, path: str, endpoint: Endpoint, *methods: str) -> Route:
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except WebexOAuthError as error:
                return await self.answer_error(request, error)

        name = f"webex{endpoint.__name__}"
        return PublicRoute(path, answer, methods=list(methods), name=name, include_in_schema=False)

    def _install(self, app: Starlette) -> None:
        app.router.routes.extend(self.router.routes)
        app.add_exception_handler(WebexOAuthError, self.answer_error)
        app.add_middleware(PersonalAnswers)
        if not self._lives_elsewhere:
            app.router.lifespan_context = self._around(app.router.lifespan_context)

    def _around(self, inner: Lifespan) -> Lifespan:
        @asynccontextmanager
        async def lifespan(app: Any) -> AsyncIterator[Any]:
            async with self.lifespan(app), inner(app) as state:
                yield state

        return lifespan

    @asynccontextmanager
    async def lifespan(self, _: object) -> AsyncIterator[None]:
        """Keep the integration open while the application lives: `Starlette(lifespan=...)`."""
        async with self.integration:
            yield

    def proxy(self, allow: Iterable[str]) -> Router:
        """Return a router that relays what *allow* lists to Webex, as whoever is signed in.

        `allow=["GET people/me", "GET rooms/*"]`: methods and paths as in Webex's API, `*` for one
        segment. The front end sends the header `X-Webex-CSRF: 1`.
        """
        relay = Proxy(self._door, self.grant, allow)
        route = Route("/{path:path}", relay.endpoint, methods=METHODS, include_in_schema=False)
        return self.router_type(routes=[route])

    async def grant(self, connection: HTTPConnection, *scopes: str) -> AsyncGrant:
        """Return the grant of the person who is signed in, and allowed *scopes*.

        Raises what `answer_error` answers: GrantNotFound, ReauthRequired, MissingScope.
        """
        grant, url = await self.optional(connection), self._door.sign_in_url(asked_of(connection))
        return self._door.usable(grant, scopes, url)

    async def optional(self, connection: HTTPConnection) -> AsyncGrant | None:
        """Return the grant of the person who is signed in, or None.

        A request that may change something and that another site sent is refused with 403.
        """
        is_socket = connection.scope["type"] == "websocket"
        if is_socket and is_foreign(connection.headers, self._door.origin):
            raise WebSocketException(1008, "another site opened this connection")
        asked = asked_of(connection)
        if not is_socket and self._door.is_forged(asked):
            raise HTTPException(403, ANOTHER_SITE)
        if self._session is None:
            raise RuntimeError(KNOWS_NOBODY)
        note_person_asked_for(connection)
        return await self._door.current(asked, self._person_id(connection))

    async def answer_error(self, connection: HTTPConnection, error: Exception) -> Response:
        """Answer a request that ended in a WebexOAuthError; an exception handler."""
        if not isinstance(error, WebexOAuthError):
            raise TypeError("this answers errors of webex_oauth") from error
        if isinstance(connection, WebSocket):
            await connection.close(1008, type(error).__name__)
            return NothingMore()
        return response_of(self._door.answer_error(asked_of(connection), error))

    def _person_id(self, connection: HTTPConnection) -> str | None:
        """Return who is signed in by the session of the host, if that is where it is kept."""
        return _session_of(connection).get(SESSION_KEY) if self._session == "host" else None

    async def _begin_sign_in(self, request: Request) -> Response:
        reply = await self._door.begin(asked_of(request), self._person_id(request))
        return response_of(reply.answer, reply.set_cookies)

    async def _complete_sign_in(self, request: Request) -> Response:
        reply = await self._door.complete(asked_of(request), self._person_id(request))
        own = None if reply.grant is None else await self._enter(request, reply.grant)
        return with_cookies(own or response_of(reply.answer), reply.set_cookies)

    async def _enter(self, request: Request, grant: AsyncGrant) -> Response | None:
        """Let the host know who has signed in."""
        if self._session == "host":
            session = _session_of(request)
            if session.get(SESSION_KEY) != grant.person_id:
                # What was in it may be of somebody else, or planted.
                session.clear()
            session[SESSION_KEY] = grant.person_id
        try:
            answer = self._on_sign_in(request, grant) if self._on_sign_in else None
            return await answer if isawaitable(answer) else answer
        except BaseException:  # such as HTTPException(403)
            if self._session == "host":
                _session_of(request).pop(SESSION_KEY, None)
            raise

    async def _sign_out(self, request: Request) -> Response:
        reply = await self._door.sign_out(asked_of(request))
        if self._session == "host" and reply.is_done:
            _session_of(request).clear()
        return response_of(reply.answer, reply.set_cookies)

    async def _show_session(self, request: Request) -> Response:
        grant = await self._door.current(asked_of(request), self._person_id(request))
        told = {
            "signed_in": grant is not None and grant.reason is None,
            "display_name": grant.display_name if grant else None,
            "scopes": sorted(grant.scopes) if grant else [],
        }
        return JSONResponse(told, headers=CLOSED)


def _session_of(connection: HTTPConnection) -> dict[str, Any]:
    if "session" not in connection.scope:
        raise RuntimeError(NO_SESSION)
    return connection.session
