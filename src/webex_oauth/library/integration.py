"""Your registered integration at work in an event loop of yours."""

import os
from contextlib import AsyncExitStack
from typing import Final, Self

from webex_oauth.integration import OpenIntegration, open_integration
from webex_oauth.library.events import AsyncEvents
from webex_oauth.library.grants import AsyncGrants
from webex_oauth.library.sign_in import AsyncSignIn
from webex_oauth.settings import Settings

NOT_OPEN: Final = (
    "the integration is not open: use it inside `async with AsyncIntegration() as webex:`, or take "
    "Integration, which opens by itself and needs no event loop. An application of Starlette or "
    "FastAPI opens it in its lifespan: let the server, or `with TestClient(app)`, run that"
)


class AsyncIntegration:
    """Your registered integration: sign people in, and act for them.

    It is open inside `async with`, in one event loop. *settings* are those of the environment and
    of the `.env` in the working folder by default. Raises ConfigurationError for settings, and when
    it opens ConfigurationError, KeyUnavailable or StoreUnavailable.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        if settings is not None and not isinstance(settings, Settings):
            raise TypeError(f"settings are a Settings, not {type(settings).__name__}")
        self.settings: Settings = Settings.from_env() if settings is None else settings
        self._exits = AsyncExitStack()
        self._integration: OpenIntegration | None = None
        self._process_id = os.getpid()
        self._left_to_parent: list[object] = []
        self.grants: AsyncGrants = AsyncGrants(self._opened)
        self.sign_in: AsyncSignIn = AsyncSignIn(self.settings.client, self._opened)
        self.events: AsyncEvents = AsyncEvents(self._opened)

    async def __aenter__(self) -> Self:
        """Open the store and start what runs in the background."""
        if self._process_id != os.getpid():
            # Closing what a fork copied would disturb the parent: nothing may collect it.
            self._left_to_parent += [self._exits, self._integration]
            self._exits, self._integration = AsyncExitStack(), None
            self._process_id = os.getpid()
        if self._integration is not None:
            raise RuntimeError("the integration is open already: one `async with` is enough")
        opening = open_integration(self.settings)
        self._integration = await self._exits.enter_async_context(opening)
        self.events._attach(self._integration.context.ledger.hub)  # noqa: SLF001 - not for programs
        return self

    async def __aexit__(self, *_: object) -> None:
        """Finish what was begun and close."""
        await self.close()

    async def close(self) -> None:
        """Finish what was begun and close; do nothing if it is closed."""
        await self._end_listeners()
        self._integration = None
        await self._exits.aclose()

    async def _end_listeners(self) -> None:
        """Let the listeners end while they can still use this integration."""
        if self._integration is not None:
            await self._integration.context.ledger.hub.close()

    def _use(self, settings: Settings) -> bool:
        """Open with other *settings* than it was made with, for tests; return False if it is open.

        Its pages stay where they are, and its cookies keep their names.
        """
        if self._integration is not None:
            return False
        self.settings = settings
        return True

    def _opened(self) -> OpenIntegration:
        if self._integration is None:
            raise RuntimeError(NOT_OPEN)
        return self._integration
