"""The ready application as ASGI, for any server: `uvicorn webex_oauth.asgi:app`."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from webex_oauth.errors import WebexOAuthError
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings
from webex_oauth.web.application import create_application

NOT_OPEN = (
    "the application is not open: run the server with its lifespan on; if the application is "
    "mounted in another one, enter `opened()` in that one's lifespan"
)

log = logging.getLogger(__name__)


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
        async with open_integration(settings) as integration:
            self._pages = create_application(settings, integration, is_stopping=self._is_stopping)
            try:
                yield
            finally:
                self._pages = None

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


def create_app(
    settings: Settings, *, is_stopping: Callable[[], bool] = lambda: False
) -> Application:
    """Build the application of *settings*.

    `/readyz` answers 503 once *is_stopping*, so that a load balancer looks elsewhere.
    """
    return Application(lambda: settings, is_stopping)


def _settings_of_environment() -> Settings:
    settings = Settings.from_env(None)
    for warning in settings.warnings:
        log.warning("%(warning)s", {"warning": warning})
    return settings


app = Application(_settings_of_environment, is_stopping=lambda: False)
"""The application of the environment, which is read at startup and not before."""
