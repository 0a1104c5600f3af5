"""The application: its pages by path, and what stands around them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from webex_oauth.errors import StoreError, VaultError, WebexOAuthError
from webex_oauth.flows.cookies import CookieJar
from webex_oauth.flows.failures import api_failure
from webex_oauth.flows.refusal_log import RefusalLog
from webex_oauth.flows.sign_in import ReturnTo
from webex_oauth.integration import OpenIntegration
from webex_oauth.settings import Settings
from webex_oauth.settings.pages import PROBES, STATIC_FOLDER, PagePath, base_of
from webex_oauth.settings.urls import is_loopback
from webex_oauth.web.browser_security import security_headers
from webex_oauth.web.failure_page import show_failure
from webex_oauth.web.frame import Frame
from webex_oauth.web.home import show_home
from webex_oauth.web.listrooms import show_rooms
from webex_oauth.web.refusals import Refused
from webex_oauth.web.rendering import About, Assets, Pages
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
from webex_oauth.web.visit import Site, Visit, redirect

LIBRARY: Final = logging.getLogger("webex_oauth")
CACHED_FOR_GOOD: Final = "public, max-age=31536000, immutable"
REMEMBER_SECONDS: Final = 1.0
MAX_WAIT_SECONDS: Final = 2.0

Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]
HandlerTable: TypeAlias = dict[str, Mapping[str, Handler]]


def create_application(
    settings: Settings,
    integration: OpenIntegration,
    *,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Frame:
    """Build the ASGI application of *integration*, which must stay open while it serves.

    It is not ready once *is_stopping*, nor while tokens wait that the store would not take.
    """
    assets = Assets.packaged(settings.base_path)
    table = handlers(settings.callback_path)
    readiness = Readiness(
        lambda: check_serving(integration),
        is_willing=lambda: integration.rescue.is_empty and not is_stopping(),
    )
    site = Site(
        settings=settings,
        origin=settings.public_origin,
        integration=integration,
        pages=Pages(assets, _about(settings)),
        assets=assets,
        cookies=CookieJar(settings.client),
        refusals=RefusalLog(),
        is_ready=readiness.is_ready,
        acting_paths=acting_paths(table, settings.callback_path),
        home=ReturnTo(settings.base_path),
    )

    async def show(scope: Scope, refused: Refused) -> ASGIApp:
        return await show_failure(Visit(site, Request(scope)), refused)

    return Frame(
        PageRouter(site, table),
        base=settings.base_path,
        public_hosts=settings.public_hosts,
        open_paths={*map(settings.path_of, PROBES), *assets.by_path},
        headers=security_headers(settings.public_origin),
        show_failure=show,
    )


def _about(settings: Settings) -> About:
    platform = settings.platform
    is_at_home = is_loopback(urlsplit(settings.public_origin))
    return About(
        name=settings.app_name,
        base=settings.base_path,
        help_url=settings.help_url,
        is_emulator=platform.is_local,
        other_webex="" if platform.is_production or platform.is_local else platform.host,
        is_at_home=is_at_home,
        is_debugging=settings.debug and is_at_home and LIBRARY.isEnabledFor(logging.DEBUG),
    )


def handlers(callback_path: str) -> HandlerTable:
    """Return every page by its path and method; of two with the same path the first counts.

    The callback's path is the one of the registered redirect URI, and its folder the base of the
    others. HEAD is answered as GET is.
    """
    base = base_of(callback_path).removesuffix("/")
    listed: list[tuple[str, Mapping[str, Handler]]] = [
        (PagePath.ROOMS, {"GET": show_rooms}),
        (PagePath.HOME, {"GET": show_home}),
        (callback_path.removeprefix(base), {"GET": complete_sign_in}),
        (PagePath.LOGIN, {"GET": begin_sign_in_by_link, "POST": begin_sign_in}),
        (PagePath.INDEX, {"GET": show_home}),
        (PagePath.LOGOUT, {"GET": ask_to_sign_out, "POST": sign_out}),
        (PagePath.SESSIONS, {"GET": show_sessions}),
        (PagePath.END_SESSIONS, {"GET": leave_form, "POST": end_sessions}),
        (PagePath.DISCONNECT, {"GET": ask_to_disconnect, "POST": disconnect}),
        (PagePath.ALIVE, {"GET": show_health}),
        (PagePath.READY, {"GET": show_readiness}),
        (PagePath.STATIC, {"GET": send_static_file}),
    ]
    table = {base + path: by for path, by in reversed(listed)}
    return {base: {"GET": lead_home}, **table} if base else table


def acting_paths(table: HandlerTable, callback_path: str) -> frozenset[str]:
    """Return the paths of the pages that do something: those with a form, and the callback.

    Each is there as a proxy that takes the base off may pass it on, too.
    """
    acting = [path for path, by in table.items() if "POST" in by]
    acting.append(callback_path)
    base = base_of(callback_path).removesuffix("/")
    return frozenset((*acting, *(path.removeprefix(base) for path in acting)))


class PageRouter:
    """The ASGI application that finds the page of a request and runs its handler."""

    def __init__(self, site: Site, table: HandlerTable) -> None:
        self.site = site
        self.table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self.find(self.table, scope["path"], scope["method"])
        visit = Visit(self.site, Request(scope, receive))
        try:
            response = await handler(visit)
        except Refused as refused:
            response = await show_failure(visit, refused)
        except WebexOAuthError as error:
            response = await show_failure(visit, Refused(api_failure(error), str(error), error))
        await response(scope, receive, send)

    @staticmethod
    def find(table: HandlerTable, path: str, method: str) -> Handler:
        """Return the handler of a request; raises HTTPException if there is none."""
        handler_by_method = table.get(path)
        if handler_by_method is None:
            before, folder, _ = path.rpartition(STATIC_FOLDER)
            handler_by_method = table.get(before + PagePath.STATIC) if folder else None
        if handler_by_method is None:
            raise HTTPException(404)
        handler = handler_by_method.get("GET" if method == "HEAD" else method)
        if handler is None:
            methods = {*handler_by_method, *({"HEAD"} if "GET" in handler_by_method else ())}
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(methods))})
        return handler


class Readiness:
    """Whether this server can serve: *is_willing*, and *check* succeeded in the last second."""

    def __init__(
        self, check: Callable[[], Awaitable[None]], is_willing: Callable[[], bool]
    ) -> None:
        self._check = check
        self._is_willing = is_willing
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._is_ready = False

    async def is_ready(self) -> bool:
        """Return whether requests should come here."""
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


async def check_serving(integration: OpenIntegration) -> None:
    """Check that the store takes writes, and that every key of its rows is here.

    Raises StoreUnavailable or KeyUnavailable.
    """
    await integration.context.ledger.rows.check()
    await integration.key_presence.check()


async def show_health(visit: Visit) -> Response:  # noqa: ARG001 - a handler takes a visit
    """Answer without asking anything else."""
    return PlainTextResponse("alive\n")


async def show_readiness(visit: Visit) -> Response:
    """Answer whether requests should come here; strangers are not told why not."""
    if await visit.site.is_ready():
        return PlainTextResponse("ready\n")
    return PlainTextResponse("not ready\n", 503)


async def lead_home(visit: Visit) -> Response:
    """Send a browser that asks for the base without its slash to the home page."""
    return redirect(visit.site.home.path)


async def send_static_file(visit: Visit) -> Response:
    """Send a packaged file, which browsers may cache for good: its content names it."""
    asset = visit.site.assets.by_path.get(visit.request.scope["path"])
    if asset is None:
        raise HTTPException(404)
    headers = {"cache-control": CACHED_FOR_GOOD, "vary": "accept-encoding"}
    return Response(asset.content, media_type=asset.media_type, headers=headers)
