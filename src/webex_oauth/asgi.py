"""The ready application as ASGI, for any server: `uvicorn webex_oauth.asgi:app`."""

import functools
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from webex_oauth.errors import WebexOAuthError
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings, read_settings, read_sources
from webex_oauth.web.application import create_application

log = logging.getLogger(__name__)

NOT_OPEN = (
    "the application is not open: run the server with its lifespan on, or, where the application "
    "is mounted in another one, enter `opened()` in that one's lifespan"
)


class Application:
    """An ASGI application that opens its integration at startup and closes it at shutdown."""

    def __init__(self, settings: Settings, is_stopping: Callable[[], bool]) -> None:
        self._settings = settings
        self._is_stopping = is_stopping
        self._pages: ASGIApp | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Open the integration; a mounted application needs this, as nobody sends it a lifespan.

        Raises ConfigurationError, KeyUnavailable or StoreUnavailable.
        """
        async with open_integration(self._settings) as integration:
            self._pages = create_application(
                self._settings, integration, is_stopping=self._is_stopping
            )
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
    return Application(settings, is_stopping)


@functools.cache
def _app() -> Application:
    settings = read_settings(read_sources(None, os.environ))
    for warning in settings.warnings:
        log.warning("%(warning)s", {"warning": warning})
    return create_app(settings)


def __getattr__(name: str) -> Application:
    """Build `app` from the environment when a server first asks for it."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _app()
