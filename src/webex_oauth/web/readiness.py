"""Whether this server can serve, asked at most once a second."""

import asyncio
from collections.abc import Awaitable, Callable

from webex_oauth.errors import StoreError, VaultError

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
