"""Rows in this process's memory: for tests and demonstrations, gone when the process ends."""

import time
from collections.abc import Iterable, Sequence
from heapq import nlargest, nsmallest

from webex_oauth.stores.store import Store
from webex_oauth.vault.rows import Change, Kind, Row


class MemoryRows(Store):
    """Rows in a dictionary. No method waits inside, so each one happens as a whole."""

    def __init__(self) -> None:
        self._rows: dict[tuple[Kind, bytes], Row] = {}

    async def check(self) -> None:
        pass

    async def time(self) -> float:
        return time.time()

    async def read(self, *rows: Row) -> Sequence[Row]:
        return [self._read(row) for row in rows]

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:  # noqa: ARG002 - there is no disk
        if any(self._read(change.row).rev != change.over for change in changes):
            return False
        for row in (change.row for change in changes):
            if row.rev:
                self._rows[row.kind, row.name] = row
            else:
                self._rows.pop((row.kind, row.name), None)
        return True

    async def by_name(self, kind: Kind, after: bytes, limit: int) -> Sequence[Row]:
        later = (row for row in self._of_kind(kind) if row.name > after)
        return nsmallest(limit, later, key=lambda row: row.name)

    async def due(self, kind: Kind, instant: int, limit: int) -> Sequence[Row]:
        found = ((row.at, row) for row in self._of_kind(kind))
        return _until(instant, found, limit)

    async def over(self, kind: Kind, instant: int, limit: int) -> Sequence[Row]:
        found = ((row.over_at, row) for row in self._of_kind(kind))
        return _until(instant, found, limit)

    async def of_group(self, kind: Kind, group: bytes, limit: int) -> Sequence[Row]:
        found = (row for row in self._of_kind(kind) if row.group == group != b"")
        return nlargest(limit, found, key=lambda row: -1 if row.at is None else row.at)

    def _read(self, row: Row) -> Row:
        return self._rows.get((row.kind, row.name), Row(row.kind, row.name))

    def _of_kind(self, kind: Kind) -> Iterable[Row]:
        return (row for row in self._rows.values() if row.kind == kind)


def _until(instant: int, found: Iterable[tuple[int | None, Row]], limit: int) -> list[Row]:
    """Return the rows whose instant has come, the earliest first."""
    come = ((at, row) for at, row in found if at is not None and at <= instant)
    return [row for _, row in nsmallest(limit, come, key=lambda one: one[0])]
