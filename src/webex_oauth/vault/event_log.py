"""The event log: reads the events of all processes, and hands each of them to a named follower.

A follower's cursor is a row: how far it has come, and which process has the lease on it. A row of
events may become visible later than its number says, up to LATE_SECONDS: so a follower reads again
from that long before the latest on, and skips what it remembers to have handed over. If it cannot
remember more, newer rows wait until they are that old: then none before them can appear any more.
"""

import asyncio
import hashlib
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress

from webex_oauth.errors import SealBroken, StoreError, VaultError
from webex_oauth.ports import Clock, Randomness
from webex_oauth.vault.commit import OWNER_BYTES
from webex_oauth.vault.events import MOST_IN_ROW, NAME_BYTES, Event, EventKind, first_id
from webex_oauth.vault.plan import lasts
from webex_oauth.vault.records import CLOCK_SKEW_SECONDS, Lease
from webex_oauth.vault.rows import Entry, Kind, Row, log_unreadable
from webex_oauth.vault.tables import Cursor, Tables

BATCH = 500
POLL_SECONDS = 1.0
TROUBLE_SECONDS = 5.0
LEASE_SECONDS = 10
BEAT_SECONDS = 3.0
LATE_SECONDS = CLOCK_SKEW_SECONDS
MOST_REMEMBERED = 4_096
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0

log = logging.getLogger(__name__)


class _LeaseLost(Exception):
    """Another process has the cursor."""


class EventLog:
    """The events in *tables*."""

    def __init__(self, tables: Tables, clock: Clock, randomness: Randomness) -> None:
        self._tables = tables
        self._clock = clock
        self._randomness = randomness

    async def read(
        self, after: int = 0, kinds: Collection[EventKind] = (), person_id: str | None = None
    ) -> AsyncIterator[Event]:
        """Yield the events behind the id *after* in their order, those of *kinds* or all.

        What cannot be opened is logged and left out. Raises StoreUnavailable.
        """
        async for row in rows_from(self._tables, after - after % MOST_IN_ROW):
            try:
                events = self._tables.events_in(row)
            except VaultError as error:
                log_unreadable(row, error)
                continue
            for event in events:
                is_wanted = event.id > after and (not kinds or event.kind in kinds)
                if is_wanted and person_id in (None, event.person_id):
                    yield event

    async def follow(self, name: str, handler: Callable[[Event], object]) -> None:
        """Hand over every event that is kept, and then each new one, until cancelled.

        What *handler* returns is awaited if that is possible. An event for which it raises is
        handed over again after a pause. Of all processes that follow under this *name* one gets
        the events, each at least once; if it dies, another one goes on within LEASE_SECONDS.
        """
        wake, key = asyncio.Event(), hashlib.sha256(name.encode()).digest()
        owner = self._randomness(OWNER_BYTES)
        turn = _Turn(self._tables, key, handler, self._clock, owner, wake)

        def wakes(_: Event) -> None:
            wake.set()

        self._tables.hub.listeners.append(wakes)
        try:
            while True:
                try:
                    if await turn.begin():
                        await turn.run()
                except (StoreError, VaultError) as error:
                    log.warning(
                        "following events as %(name)s is tried again: %(error)s",
                        {"name": name, "error": str(error)},
                    )
                    await asyncio.sleep(TROUBLE_SECONDS)
                await asyncio.sleep(POLL_SECONDS)
        finally:
            self._tables.hub.listeners.remove(wakes)


class _Turn:
    """What one process does with a cursor for as long as it has the lease."""

    def __init__(
        self,
        tables: Tables,
        name: bytes,
        handler: Callable[[Event], object],
        clock: Clock,
        owner: bytes,
        wake: asyncio.Event,
    ) -> None:
        self._tables = tables
        self._name = name
        self._handler = handler
        self._clock = clock
        self._owner = owner
        self._wake = wake
        self._writing = asyncio.Lock()
        self._entry = Entry(Cursor(), 0)
        self._start = 0
        self._handed_over = set[int]()
        self._is_written = True
        self._written_at = 0.0

    async def begin(self) -> bool:
        """Take the lease, and begin where the last turn ended; False if another process has it."""
        row = await self._tables.cursors.row(self._name)
        try:
            found = self._tables.cursors.open(row).record if row.rev else Cursor()
        except SealBroken as error:
            log_unreadable(row, error)  # all that is kept is handed over once more
            found = Cursor()
        lease = found.lease
        if lease and lease.owner != self._owner and lasts(lease, self._clock()):
            return False
        self._entry = Entry(found, row.rev)
        self._start, self._handed_over = found.start, set(found.delivered)
        with suppress(_LeaseLost):
            await self._write()
            return True
        return False

    async def run(self) -> None:
        """Hand events over until the lease is lost; raise StoreError, or VaultError."""
        tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._work())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except _LeaseLost:
            log.info("another process follows these events now")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(_LeaseLost, StoreError):
                await self._write(is_last=True)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self._write()
            except StoreError:
                lease = self._entry.record.lease
                if lease is None or not lasts(lease, self._clock()):
                    raise

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            await self._hand_over_all()
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()

    async def _hand_over_all(self) -> None:
        complete_before = first_id(self._clock() - LATE_SECONDS)
        async for row in rows_from(self._tables, self._start):
            number = int.from_bytes(row.name, "big")
            if number in self._handed_over:
                continue
            if self._is_full():
                self._forget(min(number, complete_before))
                if self._is_full() and number >= complete_before:
                    break
            await self._hand_over_row(row)
            if self._is_full():
                self._forget(number + 1)
            else:
                self._handed_over.add(number)
            self._is_written = False
            if _loop_time() - self._written_at >= POLL_SECONDS:
                await self._write()
        if not self._is_written:
            await self._write()

    async def _hand_over_row(self, row: Row) -> None:
        try:
            events = self._tables.events_in(row)
        except SealBroken as error:  # what lacks its key waits for it
            log_unreadable(row, error)
            return
        for event in events:
            await self._hand_over(event)
            self._forget(first_id(min(event.at, self._clock()) - LATE_SECONDS))

    def _is_full(self) -> bool:
        return len(self._handed_over) >= MOST_REMEMBERED

    def _forget(self, start: int) -> None:
        """Look no more for rows before the number *start*, unless that was said before."""
        if start > self._start:
            self._start = start
            self._handed_over = {number for number in self._handed_over if number >= start}

    async def _hand_over(self, event: Event) -> None:
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            try:
                answer = self._handler(event)
                if inspect.isawaitable(answer):
                    await answer
            except Exception:
                # It is the caller's own code, which may fail in any way.
                log.exception(
                    "the event %(id)s is handed over again in %(seconds)s s",
                    {"id": event.id, "seconds": pause_seconds},
                )
            else:
                return
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)

    async def _write(self, *, is_last: bool = False) -> None:
        """Write how far it has come, and renew the lease or give it back; raise _LeaseLost.

        A cancelled caller does not cut it short: the row's revision would not be known any more.
        """
        await asyncio.shield(asyncio.create_task(self._save(is_last=is_last)))

    async def _save(self, *, is_last: bool) -> None:
        async with self._writing:
            now = self._clock()
            lease = None if is_last else Lease(self._owner, now + LEASE_SECONDS)
            cursor = Cursor(self._start, tuple(sorted(self._handed_over)), lease, now)
            change = self._tables.cursors.put(self._name, cursor, self._entry.rev)
            self._is_written = True
            if not await self._tables.rows.apply([change], durably=False):
                raise _LeaseLost
            self._entry = Entry(cursor, change.row.rev)
            self._written_at = _loop_time()


async def rows_from(tables: Tables, start: int) -> AsyncIterator[Row]:
    """Yield the rows of events from a number on, page by page; no other names are numbers."""
    last = (1 << 8 * NAME_BYTES) - 1
    name = min(start - 1, last).to_bytes(NAME_BYTES, "big") if start > 0 else b""
    while rows := await tables.rows.by_name(Kind.EVENT, name, BATCH):
        for row in rows:
            if len(row.name) == NAME_BYTES:
                yield row
        name = rows[-1].name


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
