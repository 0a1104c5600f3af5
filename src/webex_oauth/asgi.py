"""The ready application as ASGI, for any server: `uvicorn webex_oauth.asgi:app`."""

import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from webex_oauth.errors import ConfigurationError, WebexOAuthError
from webex_oauth.frameworks.responses import PersonalAnswers
from webex_oauth.integration import OpenIntegration, open_integration
from webex_oauth.library.integration import AsyncIntegration
from webex_oauth.settings import Settings
from webex_oauth.settings.pages import PagePath
from webex_oauth.web.application import create_application

if TYPE_CHECKING:
    from webex_oauth.fastapi import WebexAuth

NOT_OPEN = (
    "the application is not open: run the server with its lifespan on; if the application is "
    "mounted in another one, enter `opened()` in that one's lifespan"
)
NO_FOLDER = (
    "the redirect URI has no folder that the application could have for itself: register one such "
    "as {}/webex/oauth"
)

log: Final = logging.getLogger(__name__)


class Application:
    """An ASGI application that opens its integration at startup and closes it at shutdown."""

    def __init__(self, settings: Callable[[], Settings], is_stopping: Callable[[], bool]) -> None:
        self._settings = settings
        self._is_stopping = is_stopping
        self._pages: ASGIApp | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Open the integration. A mounted application needs this: servers do not tell it to start.

        Raises ConfigurationError, KeyUnavailable or StoreUnavailable.
        """
        settings = self._settings()
        async with self._open(settings) as integration:
            self._pages = create_application(settings, integration, is_stopping=self._is_stopping)
            try:
                yield
            finally:
                self._pages = None

    def _open(self, settings: Settings) -> AbstractAsyncContextManager[OpenIntegration]:
        return open_integration(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if self._pages is None:
            raise RuntimeError(NOT_OPEN)
        await self._pages(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as exits:
            try:
                await exits.enter_async_context(self.opened())
            except WebexOAuthError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


class WebexApplication(Application):
    """The ready application inside *app*, of Starlette or FastAPI, with which it opens and closes.

    Its pages are below the folder of the redirect URI. *path* is where *app* finds that folder if
    it is below a path itself (`root_path`). *settings* are by default those of
    `Settings.from_env()`. Meanwhile `integration` is open for *app*, and `auth` knows whose session
    a request has: `Security(webex.auth)`. Raises ConfigurationError.
    """

    def __init__(
        self, app: Starlette, *, settings: Settings | None = None, path: str | None = None
    ) -> None:
        settings = settings or _read_settings(".env")
        path = (path or settings.base_path).rstrip("/")
        if not path:
            raise ConfigurationError([NO_FOLDER.format(settings.public_origin)])
        super().__init__(lambda: self.integration.settings, is_stopping=lambda: False)
        self.integration: AsyncIntegration = AsyncIntegration(settings)
        self.auth: WebexAuth = _auth_type()(
            integration=self.integration,
            login_path=settings.path_of(PagePath.LOGIN),
            logout_path=settings.path_of(PagePath.LOGOUT),
        )
        app.add_exception_handler(WebexOAuthError, self.auth.answer_error)
        app.add_middleware(PersonalAnswers)
        app.mount(path, self)
        live = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[Any]:
            async with self.opened(), live(app) as state:
                yield state

        app.router.lifespan_context = lifespan

    @asynccontextmanager
    async def _open(self, settings: Settings) -> AsyncIterator[OpenIntegration]:  # noqa: ARG002 - those of `integration`
        async with self.integration:
            yield self.integration._opened()  # noqa: SLF001 - the pages work below the interface


def _auth_type() -> "type[WebexAuth]":
    """Return the class for what the host is made with; FastAPI may not be installed."""
    framework = "fastapi" if "fastapi" in sys.modules else "starlette"
    found: type[WebexAuth] = import_module(f"webex_oauth.{framework}").WebexAuth
    return found


def create_app(
    settings: Settings, *, is_stopping: Callable[[], bool] = lambda: False
) -> Application:
    """Build the application of *settings*.

    `/readyz` answers 503 once *is_stopping*, so that a load balancer looks elsewhere.
    """
    return Application(lambda: settings, is_stopping)


def _read_settings(env_file: str | None) -> Settings:
    settings = Settings.from_env(env_file)
    for warning in settings.warnings:
        log.warning("%(warning)s", {"warning": warning})
    return settings


app: Application = Application(lambda: _read_settings(None), is_stopping=lambda: False)
"""The application of the environment, which is read at startup and not before."""
