"""Upkeep: what is over is removed, and what rows say outside their seals is put right."""

from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from webex_oauth.errors import VaultError
from webex_oauth.vault.ledger import BATCH, Ledger
from webex_oauth.vault.records import LONGEST_WAIT_SECONDS, Grant, Revocation, Session
from webex_oauth.vault.rows import Change, Kind, Row, Table, log_unreadable, next_rev
from webex_oauth.vault.tables import Draft

T = TypeVar("T")

PUT_OFF_SECONDS = 86_400


class Upkeep:
    """Look after the rows of *ledger*, a batch at a time."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rows = ledger.rows
        self._tables: dict[Kind, Table[Any]] = {
            table.kind: table
            for table in (
                *(ledger.states, ledger.sessions, ledger.grants, ledger.revocations),
                *(ledger.events, ledger.cursors),
            )
        }

    async def sweep(self, now: int, kinds: Sequence[Kind], limit: int = BATCH) -> int:
        """Remove rows of *kinds* that are over; return how many rows went.

        Over are marks and sessions past their time, revocations whose tokens have ended, grants
        without a session whose last token has ended, and events of long ago. What a row says
        outside its seal is not enough: the sealed end decides. A row that cannot be opened, or is
        still in use, stays and comes up again a day later.
        """
        count = 0
        for kind in kinds:
            for row in await self._rows.over(kind, now, limit):
                if self._is_over(row, now) and not await self._has_session(row):
                    count += await self._ledger.write(self._removal(row, now), durably=False)
                else:
                    later = replace(row, rev=next_rev(row.rev), over_at=now + PUT_OFF_SECONDS)
                    await self._rows.apply([Change(later, row.rev)], durably=False)
        return count

    async def mend(self, kind: Kind, after: bytes, now: int, limit: int = BATCH) -> bytes:
        """Correct rows of *kind* behind the name *after*; return the last name, empty at the end.

        What a row says outside its seal becomes what its record says. A record that waits for an
        instant which only a wrong clock can have written is due *now*.
        """
        table = self._tables[kind]
        rows = await self._rows.by_name(kind, after, limit)
        for row in rows:
            try:
                record = table.open(row).record
            except VaultError:
                continue
            in_time = _in_time(record, now)
            right = table.listed(replace(row, rev=next_rev(row.rev)), in_time)
            if in_time != record:
                right = table.put(row.name, in_time, row.rev).row
            if replace(right, rev=row.rev) != row:
                await self._rows.apply([Change(right, row.rev)], durably=False)
        return rows[-1].name if rows else b""

    def _is_over(self, row: Row, now: int) -> bool:
        table = self._tables[row.kind]
        try:
            over_at = table.listed(row, table.open(row).record).over_at
        except VaultError as error:
            log_unreadable(row, error)
            return False
        return over_at is not None and over_at <= now

    def _removal(self, row: Row, now: int) -> Draft:
        """Return the end of *row*; that of a session or grant is told."""
        draft = Draft(now, [row.removal])
        match self._tables[row.kind].open(row).record:
            case Session(profile=profile):
                draft.tell("session.ended", profile, "expired")
            case Grant(profile=profile):
                draft.tell("grant.revoked", profile, "expired")
        return draft

    async def _has_session(self, row: Row) -> bool:
        if row.kind is not Kind.GRANT:
            return False
        return bool(await self._rows.of_group(Kind.SESSION, row.name, 1))


def _in_time(record: T, now: int) -> T:
    """Return *record* without a wait that is longer than there is any."""
    latest = now + LONGEST_WAIT_SECONDS
    if isinstance(record, Grant) and record.due_at is not None and record.due_at > latest:
        return replace(record, keep_at=now, trouble=replace(record.trouble, retry_at=0))
    if isinstance(record, Revocation) and record.due_at > latest:
        return replace(record, due_at=now)
    return record
