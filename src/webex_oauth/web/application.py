"""The application: its routes, and what stands around them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from webex_oauth.errors import StoreError, VaultError, WebexOAuthError
from webex_oauth.integration import Integration
from webex_oauth.settings import Settings
from webex_oauth.settings.pages import Page
from webex_oauth.web.browser_security import security_headers
from webex_oauth.web.cookies import CookieJar
from webex_oauth.web.failure_page import api_failure, retry_after_seconds, show_failure
from webex_oauth.web.failures import RefusalLog, Refused
from webex_oauth.web.frame import Frame
from webex_oauth.web.home import show_home
from webex_oauth.web.listrooms import show_rooms
from webex_oauth.web.rendering import CACHE_CONTROL, Assets, Pages
from webex_oauth.web.sessions import (
    ask_to_disconnect,
    ask_to_sign_out,
    disconnect,
    end_sessions,
    leave_form,
    show_sessions,
    sign_out,
)
from webex_oauth.web.sign_in import begin_sign_in, begin_sign_in_by_link, complete_sign_in
from webex_oauth.web.visit import Site, Visit

REMEMBER_SECONDS = 1.0
MAX_WAIT_SECONDS = 2.0


class Readiness:
    """Remember for a moment whether *check* succeeded; never be ready while not *is_willing*."""

    def __init__(
        self, check: Callable[[], Awaitable[None]], is_willing: Callable[[], bool]
    ) -> None:
        self._check = check
        self._is_willing = is_willing
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._is_ready = False

    async def is_ready(self) -> bool:
        """Tell whether requests should come here."""
        if not self._is_willing():
            return False
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._asked_at >= REMEMBER_SECONDS:
                self._is_ready = await self._ask()
                self._asked_at = asyncio.get_running_loop().time()
        return self._is_ready

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                await self._check()
        except (StoreError, VaultError, TimeoutError):
            return False
        return True


async def show_health(visit: Visit) -> Response:  # noqa: ARG001 - a handler takes a visit
    """Answer without asking anything else."""
    return PlainTextResponse("alive\n")


async def show_readiness(visit: Visit) -> Response:
    """Answer whether the store takes writes and every key it needs is here; remembered a second."""
    if await visit.site.is_ready():
        return PlainTextResponse("ready\n")
    return PlainTextResponse("not ready\n", 503)


async def send_static_file(visit: Visit) -> Response:
    """Send a packaged file, which browsers may keep for ever."""
    asset = visit.site.assets.find(visit.request.scope["path"])
    if asset is None:
        raise HTTPException(404)
    headers = {"cache-control": CACHE_CONTROL, "vary": "accept-encoding"}
    return Response(asset.content, media_type=asset.media_type, headers=headers)


Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]


def create_application(
    settings: Settings, integration: Integration, *, is_stopping: Callable[[], bool] = lambda: False
) -> Frame:
    """Build the ASGI application of *integration*, which must stay open while it serves.

    It is not ready once *is_stopping*, nor while tokens wait that the store would not take.
    """
    assets = Assets.packaged()
    readiness = Readiness(
        lambda: check_serving(integration),
        is_willing=lambda: integration.rescue.is_empty and not is_stopping(),
    )
    site = Site(
        settings=settings,
        public_origin=settings.public_origin,
        integration=integration,
        pages=Pages(assets),
        assets=assets,
        cookies=CookieJar(settings.client),
        is_ready=readiness.is_ready,
        refusals=RefusalLog(),
        acting_paths=acting_paths(settings.callback_path),
    )

    async def show(scope: Scope, refused: Refused) -> ASGIApp:
        return await show_failure(Visit(site, Request(scope)), refused)

    return Frame(
        PathRouter(routes(site)),
        public_hosts=settings.public_hosts,
        open_paths=assets.paths,
        headers=security_headers(settings.public_origin),
        show_failure=show,
    )


async def check_serving(integration: Integration) -> None:
    """Check that requests can be served: the store takes writes, and every key of its rows is here.

    Raises StoreUnavailable or KeyUnavailable.
    """
    await integration.context.ledger.rows.check()
    await integration.key_presence.check()


def handlers(callback_path: str) -> Mapping[str, Mapping[str, Handler]]:
    """List every page by its path and method; of two with the same path the first counts.

    The callback's path is the one of the registered redirect URI.
    """
    listed: list[tuple[str, Mapping[str, Handler]]] = [
        (Page.ROOMS, {"GET": show_rooms}),
        (Page.HOME, {"GET": show_home}),
        (callback_path, {"GET": complete_sign_in}),
        (Page.LOGIN, {"GET": begin_sign_in_by_link, "POST": begin_sign_in}),
        (Page.INDEX, {"GET": show_home}),
        (Page.LOGOUT, {"GET": ask_to_sign_out, "POST": sign_out}),
        (Page.SESSIONS, {"GET": show_sessions}),
        (Page.END_SESSIONS, {"GET": leave_form, "POST": end_sessions}),
        (Page.DISCONNECT, {"GET": ask_to_disconnect, "POST": disconnect}),
        (Page.ALIVE, {"GET": show_health}),
        (Page.READY, {"GET": show_readiness}),
        (Page.STATIC, {"GET": send_static_file}),
    ]
    return dict(reversed(listed))


def acting_paths(callback_path: str) -> frozenset[str]:
    """List the paths of the pages that do something: those that take a form, and the callback."""
    by_path = handlers(callback_path)
    return frozenset(path for path, by_method in by_path.items() if "POST" in by_method) | {
        callback_path
    }


def routes(site: Site) -> list[Route]:
    """List every route."""
    return [
        Route(path, PageEndpoint(site, by_method), methods=[*by_method])
        for path, by_method in handlers(site.settings.callback_path).items()
    ]


class PageEndpoint:
    """Answer requests to one route; HEAD is answered as GET is, without the body."""

    def __init__(self, site: Site, handler_by_method: Mapping[str, Handler]) -> None:
        self._site = site
        self._handler_by_method = handler_by_method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = Visit(self._site, Request(scope, receive))
        response = await self._answer(visit)
        await response(scope, receive, send)

    def _handler(self, method: str) -> Handler:
        return self._handler_by_method["GET" if method == "HEAD" else method]

    async def _answer(self, visit: Visit) -> Response:
        try:
            return await self._handler(visit.request.method)(visit)
        except Refused as refusal:
            return await show_failure(visit, refusal)
        except WebexOAuthError as error:
            refused = Refused(api_failure(error), str(error), error)
            return await show_failure(visit, refused, retry_after=retry_after_seconds(error))


class PathRouter(Router):
    """Find a route by one look-up; the rest is for Starlette, which tries one after the other."""

    def __init__(self, routes: Sequence[Route]) -> None:
        super().__init__(routes, redirect_slashes=False)
        plain = [route for route in routes if not route.param_convertors]
        self._route_by_path = {route.path: route for route in reversed(plain)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._route_by_path.get(scope.get("path", ""))
        if route is None or route.methods is None or scope.get("method") not in route.methods:
            await super().__call__(scope, receive, send)
            return
        await route.app(scope, receive, send)
