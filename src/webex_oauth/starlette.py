"""Sign in with Webex in a Starlette application of yours; FastAPI has `webex_oauth.fastapi`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from inspect import isawaitable
from typing import Any, ClassVar, Final, Literal, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from webex_oauth.errors import GrantNotFound, SignInError, WebexOAuthError
from webex_oauth.flows.cookies import CookieJar, read_cookies
from webex_oauth.flows.failures import is_used_up, sign_in_failure
from webex_oauth.flows.fetch_metadata import is_foreign, is_prefetch
from webex_oauth.frameworks.answers import CLOSED, NOTHING, confirm_sign_out, redirect
from webex_oauth.frameworks.proxy import METHODS, Proxy
from webex_oauth.frameworks.responses import (
    PersonalAnswers,
    PublicRoute,
    StarletteDoor,
    asked_of,
    note_person_asked_for,
    response_of,
    with_cookies,
)
from webex_oauth.library.grants import AsyncGrant
from webex_oauth.library.integration import AsyncIntegration
from webex_oauth.settings import Settings

SESSION_KEY: Final = "webex_person_id"
"""Where the host's own session keeps who is signed in."""

NO_SESSION: Final = (
    "session='host' needs a session of the application: "
    "app.add_middleware(SessionMiddleware, secret_key=...)"
)

Session: TypeAlias = Literal["cookie", "host"] | None
OnSignIn: TypeAlias = Callable[[Request, AsyncGrant], Awaitable[Response | None] | Response | None]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
Lifespan: TypeAlias = Callable[[Any], AbstractAsyncContextManager[Any]]


class WebexAuth:
    """Sign-in, callback and sign-out in *app*, and the person of a request.

    Give the parts `router`, `lifespan` and `answer_error` to the application yourself if you leave
    *app* out. *integration* is one that you open and close; else one of *settings*, by default
    those of the environment, lives as long as the application.

    *session* is "cookie" for a session of this library, "host" for `request.session`, and None if
    *on_sign_in* keeps what it needs. That function hears of each sign-in, and may answer it. Paths
    are as browsers see them; the callback is at that of the redirect URI. If there are
    *allowed_orgs*, ids of organizations, nobody else is admitted.
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
        if session not in {"cookie", "host", None}:
            raise ValueError('session is "cookie", "host" or None')
        if session is None and on_sign_in is None:
            raise ValueError("session=None keeps nobody signed in: give on_sign_in what to do")
        self.integration: AsyncIntegration = integration or AsyncIntegration(settings)
        self._lives_elsewhere = integration is not None
        self._session = session
        self.login_path: str = login_path
        self._logout_path = logout_path
        self._on_sign_in = on_sign_in
        its_settings = self.integration.settings
        self._jar = CookieJar(its_settings.client)
        self.session_cookie: str = self._jar.session_name if session == "cookie" else "session"
        self._door = StarletteDoor(its_settings, login_path, [logout_path], allowed_orgs)
        self.router: Router = self.router_type(routes=list(self._routes(session_path)))
        if app is not None:
            self._install(app)

    def _routes(self, session_path: str) -> Iterable[Route]:
        callback_path = self.integration.settings.callback_path
        yield self._route(self.login_path, self._begin_sign_in, "GET", "POST")
        yield self._route(callback_path, self._complete_sign_in, "GET")
        if self._session is not None:
            yield self._route(self._logout_path, self._sign_out, "GET", "POST")
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
        return self._door.usable(await self.optional(connection), scopes)

    async def optional(self, connection: HTTPConnection) -> AsyncGrant | None:
        """Return the grant of the person who is signed in, or None.

        A request that may change something and that another site sent is refused with 403.
        """
        is_socket = connection.scope["type"] == "websocket"
        if is_socket and is_foreign(connection.headers, self._door.origin):
            raise WebSocketException(1008, "another site opened this connection")
        if not is_socket and self._door.is_forged(asked_of(connection)):
            raise HTTPException(403, "another site sent this request")
        note_person_asked_for(connection)
        return await self._current(connection)

    async def _current(self, connection: HTTPConnection) -> AsyncGrant | None:
        grant = None
        if self._session == "cookie":
            cookies = read_cookies(connection.scope["headers"])
            grant = await self.integration.sign_in.current(cookies)
        elif self._session == "host":
            person_id = _session_of(connection).get(SESSION_KEY)
            with suppress(GrantNotFound):
                grant = await self.integration.grants.get(person_id) if person_id else None
        else:
            raise RuntimeError("session=None knows nobody: look up the person in a way of yours")
        return self._door.admitted(grant)

    async def answer_error(self, connection: HTTPConnection, error: Exception) -> Response:
        """Answer a request that ended in a WebexOAuthError; an exception handler."""
        return await self._door.answer_error(connection, error)

    async def _begin_sign_in(self, request: Request) -> Response:
        asked, query = asked_of(request), request.query_params
        if self._door.is_forged(asked):
            return self._door.refused(request, "forgery-suspected")
        return_to, scopes = self._door.return_to(query.get("return_to")), query.get("scope", "")
        cookies = read_cookies(request.scope["headers"])
        instead = self._door.before_sign_in(asked, cookies, return_to, scopes.split())
        if instead is not None:
            return response_of(instead)
        grant = None if self._session is None else await self._current(request)
        wanted = self._door.scopes_to_ask(scopes.split(), grant)
        try:
            start = await self.integration.sign_in.begin(
                return_to=return_to, scopes=wanted, cookies=cookies
            )
        except ValueError:
            return self._door.refused(request, "bad-request")
        return response_of(redirect(start.url), start.set_cookies)

    async def _complete_sign_in(self, request: Request) -> Response:
        asked = asked_of(request)
        if asked.method == "HEAD" or is_prefetch(asked.headers):
            return response_of(NOTHING)
        cookies = read_cookies(request.scope["headers"])
        try:
            end = await self.integration.sign_in.complete(
                request.scope["query_string"],
                cookies,
                session=self._session == "cookie",
                allowed_orgs=self._door.allowed_orgs,
            )
        except SignInError as error:
            is_old = is_used_up(error) and self._session and await self._current(request)
            name = "already-signed-in" if is_old else sign_in_failure(error)
            return self._door.refused(request, name, error, return_to=error.return_to)
        response = response_of(redirect(self._door.return_to(end.return_to)))
        if end.missing:
            response = self._door.refused(
                request, "scope-missing", return_to=end.return_to, scopes=end.missing
            )
        if end.grant is not None:
            response = await self._enter(request, end.grant) or response
        return with_cookies(response, end.set_cookies)

    async def _enter(self, request: Request, grant: AsyncGrant) -> Response | None:
        """Let the host know who has signed in."""
        if self._session == "host":
            session = _session_of(request)
            if session.get(SESSION_KEY) != grant.person_id:
                # What was in it may be of somebody else, or planted.
                session.clear()
            session[SESSION_KEY] = grant.person_id
        answer = self._on_sign_in(request, grant) if self._on_sign_in else None
        return await answer if isawaitable(answer) else answer

    async def _sign_out(self, request: Request) -> Response:
        asked = asked_of(request)
        if asked.method != "POST":
            return response_of(confirm_sign_out(self._logout_path, asked))
        if self._door.is_forged(asked):
            return self._door.refused(request, "forgery-suspected")
        if self._session == "host":
            _session_of(request).clear()
        return_to = self._door.return_to(request.query_params.get("return_to"))
        cookies = read_cookies(request.scope["headers"])
        dropped = await self.integration.sign_in.sign_out(cookies)
        return response_of(redirect(return_to), dropped)

    async def _show_session(self, request: Request) -> Response:
        grant = await self._current(request)
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
