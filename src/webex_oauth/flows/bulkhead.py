"""The bulkhead: calls of Webex's API take a place each, so that sign-ins always find one."""

import asyncio
from types import TracebackType

from webex_oauth.errors import RequestNotSent

API_PLACES = 192
"""Fewer than the connections there are: sign-ins, refreshes and revocations find one."""
WAIT_SECONDS = 5.0


class Bulkhead:
    """Let *count* calls be under way at a time; enter it for each call."""

    def __init__(self, count: int = API_PLACES, wait_seconds: float = WAIT_SECONDS) -> None:
        self._free = asyncio.Semaphore(count)
        self._wait_seconds = wait_seconds

    async def __aenter__(self) -> None:
        """Take a place; raises RequestNotSent when none gets free in time."""
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise RequestNotSent("too many calls are under way") from None

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the place back."""
        self._free.release()
