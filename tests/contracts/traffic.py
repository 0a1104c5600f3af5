"""Traffic: people who come and go while something happens to the store behind them."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from contracts.rows import IDLE_SECONDS, NOW, admission, attempt, grant, name, session
from waiting import LIMIT_SECONDS, SLACK_SECONDS, until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.vault.records import Lease, SessionRecord
from webex_oauth.vault.store import Store

PROMISED_SECONDS = 2.0
T = TypeVar("T")


class Traffic:
    """Have people sign in, look around, refresh, and half of them sign out; judge every answer.

    `admitted` and `ended` are those whose sign-in or sign-out was confirmed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._numbers = itertools.count(1)
        self.outcomes: Counter[str] = Counter()
        self.longest_seconds = 0.0
        self.admitted: set[int] = set()
        self.ended: set[int] = set()
        self.seen = 0

    async def person(self) -> None:
        """Be one person after the other."""
        while True:
            number = next(self._numbers)
            try:
                await self._visit(number)
            except StoreUnavailable:
                await asyncio.sleep(0.01)

    async def _visit(self, number: int) -> None:
        state, browser = name("state", number), name("browser", 1)
        await self._ask(self._store.add_attempt(attempt(number), at_most=10_000, now=NOW))
        await self._ask(self._store.take_attempt(state, browser, NOW))
        await self._ask(self._store.admit(admission(number, of=number)))
        self.admitted.add(number)
        found = await self._ask(self._store.find_session(name("session", number)))
        assert found == session(number, of=number)
        await self._refresh(number)
        self.seen = number
        if number % 2:
            await self._ask(
                self._store.end_session(
                    name("session", number), now=NOW, idle_seconds=IDLE_SECONDS, keeps_grants=False
                )
            )
            self.ended.add(number)

    async def _refresh(self, number: int) -> None:
        lease = Lease(b"owner", NOW + 30)
        claimed = await self._ask(self._store.claim_grant(grant(number), lease, NOW))
        assert claimed is not None
        await self._ask(self._store.replace_grant(grant(number, version=2), 1))

    async def _ask(self, question: Awaitable[T]) -> T:
        asked_at = time.monotonic()
        try:
            answer = await question
        except Exception as error:
            self.outcomes[type(error).__name__] += 1
            raise
        finally:
            self.longest_seconds = max(self.longest_seconds, time.monotonic() - asked_at)
        self.outcomes["answered"] += 1
        return answer

    async def flows(self, people: int = 20) -> None:
        """Wait until more people than are at it have been served from now on."""
        enough = next(self._numbers) + 2 * people
        await until_true(lambda: self.seen >= enough)

    def check_answers(self) -> None:
        """Find nothing among the answers but answers and StoreUnavailable, each in time."""
        assert set(self.outcomes) <= {"answered", "StoreUnavailable"}, self.outcomes
        assert self.longest_seconds < PROMISED_SECONDS + SLACK_SECONDS

    async def check_rows(self) -> None:
        """Find everything that was confirmed, and no half of anything."""
        for number in range(1, next(self._numbers)):
            found = await whole_sign_in(self._store, number)
            if number in self.ended:
                assert found is None, number
            elif number in self.admitted and number % 2 == 0:
                assert found == session(number, of=number), number


async def whole_sign_in(store: Store, number: int) -> SessionRecord | None:
    """Find a session with its grant, or neither of them.

    What was cancelled or cut off may be under way in the server for a moment.
    """
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            found = await store.find_session(name("session", number))
            kept = await store.find_grant(name("grant", number))
            if (found is None) == (kept is None):
                return found
            await asyncio.sleep(0.1)


@asynccontextmanager
async def traffic(store: Store, people: int = 20) -> AsyncIterator[Traffic]:
    """Let people come and go until the end; nobody may have had a surprise."""
    going = Traffic(store)
    async with asyncio.TaskGroup() as tasks:
        busy = [tasks.create_task(going.person()) for _ in range(people)]
        yield going
        for one in busy:
            one.cancel()
    going.check_answers()
    await going.check_rows()
