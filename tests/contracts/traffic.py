"""Traffic: people who come and go while something happens to the database behind them."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from contracts.samples import NOW, absent, add, deleted, name, rewritten, row
from waiting import SLACK_SECONDS, until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.vault.rows import Change, Kind, Row, Rows

PROMISED_SECONDS = 2.0
FIRST_NUMBER = 1_000
"""Smaller numbers are rows of the test itself."""

T = TypeVar("T")


def signed_in(number: int) -> tuple[Row, Row]:
    """Return the grant and the session of a person."""
    return row(number, at=NOW), row(number, Kind.SESSION, group=name(number), at=NOW)


class Traffic:
    """People who sign in, look around, refresh, and half of whom sign out; every answer is checked.

    `admitted` and `ended` are those whose sign-in or sign-out was confirmed.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._numbers = itertools.count(FIRST_NUMBER)
        self.outcomes: Counter[str] = Counter()
        self.longest_seconds = 0.0
        self.admitted: set[int] = set()
        self.ended: set[int] = set()
        self.seen = 0

    async def person(self) -> None:
        """Act as one person after the other."""
        while True:
            number = next(self._numbers)
            try:
                await self._visit(number)
            except StoreUnavailable:
                await asyncio.sleep(0.01)

    async def _visit(self, number: int) -> None:
        state = row(number, Kind.STATE, over_at=NOW)
        grant, session = signed_in(number)
        await self._apply(add(state), durably=False)
        await self._apply([deleted(state), *add(grant, session)], durably=True)
        self.admitted.add(number)
        assert list(await self._ask(self._rows.read(grant, session))) == [grant, session]
        claim = rewritten(grant)
        await self._apply([claim], durably=False)
        renewal = rewritten(claim.row)
        await self._apply([renewal, Change(session, session.rev)], durably=True)
        self.seen = number
        if number % 2:
            revocation = row(number, Kind.REVOCATION, at=NOW)
            ending = [deleted(renewal.row), deleted(session), *add(revocation)]
            await self._apply(ending, durably=True)
            self.ended.add(number)

    async def _apply(self, changes: Sequence[Change], *, durably: bool) -> None:
        assert await self._ask(self._rows.apply(changes, durably=durably))

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
        """Wait until more people than there are at once have been served from now on."""
        enough = next(self._numbers) + 2 * people
        await until_true(lambda: self.seen >= enough)

    def check_answers(self) -> None:
        """Check that each question was answered or unavailable, and in time."""
        assert set(self.outcomes) <= {"answered", "StoreUnavailable"}, self.outcomes
        assert self.longest_seconds < PROMISED_SECONDS + SLACK_SECONDS

    async def check_rows(self, rows: Rows, admitted: set[int], ended: set[int]) -> None:
        """Check that there are those who were admitted and have not ended, and no halves."""
        for number in range(FIRST_NUMBER, next(self._numbers)):
            is_in = await is_signed_in(rows, number)
            if number in ended:
                assert not is_in, number
            elif number in admitted and number % 2 == 0:
                assert is_in, number


async def is_signed_in(rows: Rows, number: int) -> bool:
    """Return whether a person has a session and a grant; fail if there is half of that."""
    grant, session = signed_in(number)
    revocation = row(number, Kind.REVOCATION, at=NOW)
    found = await rows.read(grant, session, revocation)
    is_in = found[0].rev > 0
    assert found[1] == (session if is_in else absent(session)), number
    assert found[2] in ([absent(revocation)] if is_in else [absent(revocation), revocation]), number
    return is_in


@asynccontextmanager
async def traffic(rows: Rows, people: int = 20) -> AsyncIterator[Traffic]:
    """Run people during the block; check every answer, and afterwards the rows."""
    going = Traffic(rows)
    async with asyncio.TaskGroup() as tasks:
        busy = [tasks.create_task(going.person()) for _ in range(people)]
        yield going
        for one in busy:
            one.cancel()
    going.check_answers()
    await going.check_rows(rows, going.admitted, going.ended)
