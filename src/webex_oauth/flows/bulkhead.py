"""The bulkhead: calls of Webex's API take a place each, so that sign-ins always find one.

No person takes more than a quarter of the places; those who wait for one of theirs hold up nobody
else, and are bounded as well.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from webex_oauth.errors import RequestNotSent

API_PLACES = 192
"""Fewer than the connections there are: sign-ins, refreshes and revocations find one."""
PLACES_OF_ONE = 48
WAITING_OF_ONE = 192
WAIT_SECONDS = 5.0


class Bulkhead:
    """Let *count* calls be under way at a time, *count_of_one* of them for one person."""

    def __init__(
        self,
        count: int = API_PLACES,
        count_of_one: int = PLACES_OF_ONE,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._free = asyncio.Semaphore(count)
        self._count_of_one = count_of_one
        self._wait_seconds = wait_seconds
        self._asked = Counter[bytes]()
        self._free_of: dict[bytes, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def place(self, grant_key: bytes) -> AsyncIterator[None]:
        """Hold a place for a call of one person; raises RequestNotSent when none gets free in time.

        A person for whom WAITING_OF_ONE calls wait already is refused at once.
        """
        if self._asked[grant_key] >= self._count_of_one + WAITING_OF_ONE:
            raise RequestNotSent("too many calls of one person are under way")
        own = self._free_of.setdefault(grant_key, asyncio.Semaphore(self._count_of_one))
        self._asked[grant_key] += 1
        try:
            await self._take(own)
            try:
                yield
            finally:
                self._free.release()
                own.release()
        finally:
            self._asked[grant_key] -= 1
            if not self._asked[grant_key]:
                del self._asked[grant_key], self._free_of[grant_key]

    async def _take(self, own: asyncio.Semaphore) -> None:
        if not own.locked() and not self._free.locked():
            await own.acquire()
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await own.acquire()
                try:
                    await self._free.acquire()
                except BaseException:
                    own.release()
                    raise
        except TimeoutError:
            raise RequestNotSent("too many calls are under way") from None
