"""What every flow works with, and the bulkhead: calls of Webex's API take a place each.

So sign-ins always find one. No person takes more than a quarter of the places; calls that wait for
one of theirs hold up no other person, and are bounded as well.
"""

import asyncio
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from webex_oauth.errors import RequestNotSent
from webex_oauth.oauth.server import Client
from webex_oauth.ports import Clock, Randomness, Transport
from webex_oauth.secret import Secret
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.sealing import Sealer
from webex_oauth.webex.platform import Platform

API_PLACES = 192
"""Fewer than the connections there are: sign-ins, refreshes and revocations find one."""
PLACES_OF_ONE = 48
WAITING_OF_ONE = 192
WAIT_SECONDS = 5.0
SECRET_BYTES = 32


class Bulkhead:
    """At most *count* calls under way at a time, *count_of_one* of them for one person."""

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
        """Hold a place for a call of one person; raises RequestNotSent if none gets free in time.

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


@dataclass(frozen=True, slots=True)
class FlowContext:
    """One integration at one Webex, its effects, and how long its sessions live.

    With `keeps_grants` a grant outlives the last session of its person. `api_bulkhead` bounds
    the calls of Webex's API that are under way at a time.
    """

    platform: Platform
    client: Client
    ledger: Ledger
    sealer: Sealer
    transport: Transport
    clock: Clock
    randomness: Randomness
    idle_seconds: int
    absolute_seconds: int
    keeps_grants: bool = False
    api_bulkhead: Bulkhead = field(default_factory=Bulkhead)

    def random_secret(self) -> Secret:
        """Return a secret of 256 bits, 43 characters of URL-safe base64."""
        return Secret(urlsafe_b64encode(self.randomness(SECRET_BYTES)).rstrip(b"=").decode())
