"""The application: its routes, and what stands around them."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from webex_oauth.integration import Integration
from webex_oauth.settings import Settings
from webex_oauth.settings.pages import Page
from webex_oauth.web.assets import Assets
from webex_oauth.web.callback import complete_sign_in
from webex_oauth.web.cookies import CookieJar
from webex_oauth.web.disconnect import ask_to_disconnect, disconnect
from webex_oauth.web.failure import show_failure
from webex_oauth.web.failures import Refused
from webex_oauth.web.frame import Frame, security_headers
from webex_oauth.web.health import show_health, show_readiness
from webex_oauth.web.home import show_home
from webex_oauth.web.listrooms import show_rooms
from webex_oauth.web.login import begin_sign_in, begin_sign_in_by_link
from webex_oauth.web.logout import ask_to_sign_out, sign_out
from webex_oauth.web.page import Handler, PageEndpoint
from webex_oauth.web.readiness import Readiness
from webex_oauth.web.refusal_log import RefusalLog
from webex_oauth.web.rendering import Pages
from webex_oauth.web.routing import PathRouter
from webex_oauth.web.sessions import end_sessions, leave_form, show_sessions
from webex_oauth.web.site import Site
from webex_oauth.web.static_file import send_static_file
from webex_oauth.web.visit import Visit


def create_application(
    settings: Settings, integration: Integration, *, is_stopping: Callable[[], bool] = lambda: False
) -> Frame:
    """Build the ASGI application of *integration*, which must stay open while it serves.

    It is not ready once *is_stopping*, nor while tokens wait that the store would not take.
    """
    assets = Assets.packaged()
    site = Site(
        settings=settings,
        public_origin=settings.public_origin,
        integration=integration,
        pages=Pages(assets),
        assets=assets,
        cookies=CookieJar(settings.client),
        readiness=Readiness(
            lambda: check_serving(integration),
            is_willing=lambda: integration.rescue.is_empty and not is_stopping(),
        ),
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
    await integration.context.store.check()
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
