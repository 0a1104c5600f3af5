"""Tables: records of one kind as rows, each sealed whole and bound to its row's kind and name.

Nothing is believed that stands outside a seal: what a row says beside its body only lists it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from webex_oauth.errors import VaultError
from webex_oauth.vault.rows import Change, Kind, Row, Rows, next_rev
from webex_oauth.vault.sealing import Context, Envelope, Sealer

T = TypeVar("T")
Index: TypeAlias = tuple[bytes, int | None, int | None]
"""What lists a row: its group, `at` and `over_at`."""

FIRST_REV_BYTES = 6

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A record as it was read, and the revision of its row."""

    record: T
    rev: int


class Table(Generic[T]):
    """The records of one kind in *rows*; *index* says by what a record is listed."""

    def __init__(
        self,
        rows: Rows,
        sealer: Sealer,
        kind: Kind,
        content: type[T],
        index: Callable[[T], Index],
    ) -> None:
        self.kind = kind
        self._rows = rows
        self._sealer = sealer
        self._envelope = Envelope(content)
        self._index = index

    async def row(self, name: bytes) -> Row:
        """Read a row; its `rev` is 0 if it is absent."""
        (row,) = await self._rows.read(Row(self.kind, name))
        return row

    async def find(self, name: bytes) -> Entry[T] | None:
        """Find a record; raise SealBroken or KeyUnavailable if it cannot be opened."""
        row = await self.row(name)
        return self.open(row) if row.rev else None

    def open(self, row: Row) -> Entry[T]:
        """Open a row; raise SealBroken or KeyUnavailable."""
        context = Context(self.kind.value, row.name)
        return Entry(self._envelope.open(self._sealer, row.body, context), row.rev)

    def seal(self, name: bytes, record: T) -> bytes:
        """Return the body of a row of that name."""
        return self._envelope.seal(self._sealer, record, Context(self.kind.value, name))

    def put(self, name: bytes, record: T, over: int = 0) -> Change:
        """Return the change that writes *record* over a revision, 0 to add it."""
        body = self.seal(name, record)
        # No writer can hold the revision of a row that was deleted since.
        rev = over or int.from_bytes(self._sealer.randomness(FIRST_REV_BYTES), "big")
        return Change(self.listed(Row(self.kind, name, next_rev(rev), body), record), over)

    def listed(self, row: Row, record: T) -> Row:
        """Return *row* as *record* lists it."""
        group, at, over_at = self._index(record)
        return Row(row.kind, row.name, row.rev, row.body, group, at, over_at)


def drop(row: Row) -> Change:
    """Return the change that deletes *row*."""
    return Change(Row(row.kind, row.name), row.rev)


def log_unreadable(row: Row, error: VaultError) -> None:
    """Log that a row cannot be opened."""
    log.error(
        "a stored %(kind)s cannot be opened: %(error)s",
        {"kind": row.kind.value, "error": str(error) or type(error).__name__},
    )
