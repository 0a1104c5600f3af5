"""What every flow works with, and the bulkhead: calls of Webex's API take a place each.

So sign-ins always find one. No person takes more than a quarter of the places; calls that wait for
one of theirs hold up no other person, and are bounded as well.
"""

import asyncio
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct, field

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


class Places:
    """A number of places, of which some are `free`, and the line of those who wait for one.

    asyncio's semaphore does not tell what taking a free place without a call needs to know.
    """

    def __init__(self, count: int) -> None:
        self.count = self.free = count
        self.line = deque[asyncio.Future[None]]()

    async def take(self) -> None:
        """Take a place, in turn."""
        if self.free:
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self.line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give_back()  # it was this one's turn already
            elif turn in self.line:
                self.line.remove(turn)
            raise

    def give_back(self) -> None:
        """Pass a place on to the first in the line."""
        while self.line:
            turn = self.line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1


class Bulkhead:
    """At most *count* calls under way at a time, *count_of_one* of them for one person."""

    def __init__(
        self,
        count: int = API_PLACES,
        count_of_one: int = PLACES_OF_ONE,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._all = Places(count)
        self._count_of_one = count_of_one
        self._wait_seconds = wait_seconds
        self._places_of: dict[bytes, Places] = {}

    @asynccontextmanager
    async def place(self, grant_key: bytes) -> AsyncIterator[None]:
        """Hold a place for a call of one person; raises RequestNotSent if none gets free in time.

        A person for whom WAITING_OF_ONE calls wait already is refused at once.
        """
        own = self._places_of.get(grant_key)
        if own is None:
            own = self._places_of[grant_key] = Places(self._count_of_one)
        if len(own.line) >= WAITING_OF_ONE:
            raise RequestNotSent("too many calls of one person are under way")
        try:
            if own.free and self._all.free:
                own.free, self._all.free = own.free - 1, self._all.free - 1
            else:
                await self._wait(own)
            try:
                yield
            finally:
                self._all.give_back()
                own.give_back()
        finally:
            if own.free == own.count:
                self._places_of.pop(grant_key, None)

    async def _wait(self, own: Places) -> None:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await own.take()
                try:
                    await self._all.take()
                except BaseException:
                    own.give_back()
                    raise
        except TimeoutError:
            raise RequestNotSent("too many calls are under way") from None


class FlowContext(Struct, frozen=True):
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
