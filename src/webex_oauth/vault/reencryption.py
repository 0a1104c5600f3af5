"""Re-encryption: every row under the key that seals now, so that an old key can be retired.

It goes by the rows' bodies; of their records it reads the grants, to write anew by what they are
found. It may be ended at any moment and run again: each row shows by itself whether it is done. The
files of the spool are rows that wait.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from webex_oauth.errors import (
    ConfigurationError,
    KeyUnavailable,
    SealBroken,
    StoreUnavailable,
    VaultError,
)
from webex_oauth.ports import Sleep
from webex_oauth.vault.events import EventKind
from webex_oauth.vault.key_agreement import SETTLE_SECONDS, drop_check, seals
from webex_oauth.vault.rescue import Spool, Spooled
from webex_oauth.vault.rows import Change, Kind, Row, Rows, next_rev
from webex_oauth.vault.sealing import Context, Sealer, key_id_of
from webex_oauth.vault.tables import Draft, Tables

MOST_PASSES = 12
BATCH_ROWS = 100
UNREADABLE = "?"
SEALED = {
    Kind.GRANT: "grants",
    Kind.REVOCATION: "revocations",
    Kind.SESSION: "sessions",
    Kind.STATE: "sign-ins",
    Kind.EVENT: "events",
    Kind.CURSOR: "cursors",
}
"""The kinds of rows that are sealed, by what people call them."""
ENDED: dict[Kind, EventKind] = {Kind.GRANT: "grant.revoked", Kind.SESSION: "session.ended"}

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What became of a row."""

    CURRENT = "current"
    REENCRYPTED = "re-encrypted"
    MOVED = "moved"
    UNOPENED = "unopened"


Tally: TypeAlias = Mapping[Outcome, int]


class Reencryption(Struct, frozen=True):
    """Re-encrypt all rows, with at most half of the store's time.

    `report` hears how far a pass has come.
    """

    rows: Rows
    spool: Spool
    sealer: Sealer
    report: Callable[[Tally], None]
    sleep: Sleep = asyncio.sleep

    async def run(self) -> Tally:
        """Pass over all rows until nothing is found under another key; return what was done.

        The last pass begins when every process has had the time to look at its key file. Raises
        StoreUnavailable, or ConfigurationError if a process keeps sealing under another key.
        """
        total, outage = Counter[Outcome](), None
        for number in range(MOST_PASSES):
            if number:
                await self.sleep(SETTLE_SECONDS)
            found = Counter[Outcome]()
            try:
                await self._walk(found)
            except StoreUnavailable as error:
                outage = error
                continue
            finally:
                total.update({Outcome.REENCRYPTED: found[Outcome.REENCRYPTED]})
            if number and not found[Outcome.REENCRYPTED] and not found[Outcome.MOVED]:
                return self._done(total | found)
        raise outage or ConfigurationError([_still_sealing(self.sealer)])

    def _done(self, total: Tally) -> Tally:
        counts = {outcome.value: count for outcome, count in total.items() if count}
        log.info(
            "rows were re-encrypted under key %(key)s: %(counts)s",
            {"key": self.sealer.keys.primary.id, "counts": counts},
        )
        return total

    async def _walk(self, found: Counter[Outcome]) -> None:
        clock = asyncio.get_running_loop().time
        worked_from = clock()
        for name, spooled in self.spool.all():
            found[self._reencrypt_file(name, spooled)] += 1
        async for batch in _batches(self.rows):
            for row in batch:
                found[await self._reencrypt(row)] += 1
            self.report(found)
            await self.sleep(clock() - worked_from)
            worked_from = clock()

    async def _reencrypt(self, row: Row) -> Outcome:
        found, group = self._body_of(row), self._group_of(row)
        body = row.body if found is Outcome.CURRENT and group != row.group else found
        if not isinstance(body, bytes):
            return body
        anew = replace(row, rev=next_rev(row.rev), body=body, group=group)
        change = Change(anew, row.rev)
        is_done = await self.rows.apply([change], durably=False)
        return Outcome.REENCRYPTED if is_done else Outcome.MOVED

    def _reencrypt_file(self, name: str, spooled: Spooled) -> Outcome:
        """Re-encrypt a file. If its row is stored meanwhile, the file that stays does no harm."""
        body = self._body_of(_row_of(spooled))
        if not isinstance(body, bytes):
            return body
        self.spool.add(Spooled(spooled.key, body))
        self.spool.drop(name)
        return Outcome.REENCRYPTED

    def _group_of(self, row: Row) -> bytes:
        """Return by what a row is found: a grant by a digest under the primary key."""
        if row.kind is not Kind.GRANT:
            return row.group
        grants = Tables(self.rows, self.sealer, idle_seconds=0).grants
        try:
            return grants.listed(row, grants.open(row).record).group
        except VaultError:
            return row.group

    def _body_of(self, row: Row) -> bytes | Outcome:
        """Return the body sealed under the primary key, or why there is none to write."""
        try:
            if key_id_of(row.body) == self.sealer.keys.primary.id:
                return Outcome.CURRENT
            context = _context(row)
            return self.sealer.seal(self.sealer.open(row.body, context), context)
        except VaultError:
            return Outcome.UNOPENED


async def rows_by_key(rows: Rows, spool: Spool) -> Counter[str]:
    """Count the rows under each key, by its id."""
    counts = Counter(_key_of(row) for row in _spooled(spool))
    async for batch in _batches(rows):
        counts.update(_key_of(row) for row in batch)
        await asyncio.sleep(0)
    return counts


async def check_unused(
    rows: Rows, spool: Spool, sealer: Sealer, key_id: str, *, sleep: Sleep = asyncio.sleep
) -> None:
    """Raise KeyUnavailable if something still needs the key that is to be retired.

    Looks twice, because a process may be about to write what it sealed before the keys changed. A
    row that does not open under its key is lost already and needs nothing.
    """

    def count_in(batch: Iterator[Row] | Sequence[Row]) -> int:
        return sum(_key_of(row) == key_id and _opens(sealer, row) for row in batch)

    for is_first in (True, False):
        count = count_in(_spooled(spool))
        async for batch in _batches(rows):
            count += count_in(batch)
            await asyncio.sleep(0)
        if count:
            raise KeyUnavailable(
                f"key {key_id!r} is still needed (rows under it: {count}): "
                "run `webex-oauth keys re-encrypt` first"
            )
        if is_first:
            await sleep(SETTLE_SECONDS)


async def forget(rows: Rows, spool: Spool, key_id: str, sealer: Sealer | None) -> Counter[str]:
    """Remove everything under a lost key, and the sessions of its grants.

    Returns how many rows of each kind were under it. Tokens that cannot be opened are not revoked
    and end by themselves. Ended grants and sessions are told if *sealer* has the key that seals in
    this store; whose they were cannot be read.
    """
    ended = Counter[str]()
    for name, spooled in spool.all():
        if _key_of(_row_of(spooled)) == key_id:
            spool.drop(name)
            ended["spooled"] += 1
    tables = Tables(rows, sealer, idle_seconds=0) if sealer and await seals(rows, sealer) else None
    async for batch in _batches(rows):
        for row in batch:
            if _key_of(row) == key_id:
                await _remove(rows, row, key_id, tables)
                ended[SEALED[row.kind]] += 1
    await drop_check(rows, key_id)
    log.warning(
        "lost key %(key)s was forgotten; what was under it ended: %(ended)s",
        {"key": key_id, "ended": dict(ended)},
    )
    return ended


async def _remove(rows: Rows, row: Row, key_id: str, tables: Tables | None) -> None:
    """Remove a row under a lost key; a grant goes after all of its sessions."""
    while row.rev and _key_of(row) == key_id:
        gone: list[Row] = []
        if row.kind is Kind.GRANT:
            gone += await rows.of_group(Kind.SESSION, row.name, BATCH_ROWS)
        if len(gone) < BATCH_ROWS:
            gone.append(row)
        draft = Draft(int(await rows.time()), [one.removal for one in gone])
        if tables is None:
            await rows.apply(draft.changes, durably=True)
        else:
            for kind in (ENDED[one.kind] for one in gone if one.kind in ENDED):
                draft.tell(kind, None, "key_lost")
            await tables.write(draft, durably=True)
        (row,) = await rows.read(row)


async def _batches(rows: Rows) -> AsyncIterator[Sequence[Row]]:
    """Yield the sealed rows in batches, each kind in the order of its names.

    Rows that come or move meanwhile may be missed.
    """
    for kind in SEALED:
        after = b""
        while batch := await rows.by_name(kind, after, BATCH_ROWS):
            yield batch
            after = batch[-1].name


def _spooled(spool: Spool) -> Iterator[Row]:
    return (_row_of(spooled) for _, spooled in spool.all())


def _row_of(spooled: Spooled) -> Row:
    """Return the row that a file of the spool is to become."""
    return Row(Kind.GRANT, spooled.key, body=spooled.body)


def _key_of(row: Row) -> str:
    try:
        return key_id_of(row.body)
    except SealBroken:
        return UNREADABLE


def _opens(sealer: Sealer, row: Row) -> bool:
    try:
        return sealer.open(row.body, _context(row)) is not None
    except VaultError:
        return False


def _context(row: Row) -> Context:
    return Context(row.kind.value, row.name)


def _still_sealing(sealer: Sealer) -> str:
    return (
        f"rows come under another key than {sealer.keys.primary.id!r} again and again: give every "
        "process the same keys, then run this again"
    )
