"""Rows: everything a database keeps. It reads them, and applies several changes or none.

A row is found by its kind and name. Its body is a sealed record and means nothing to a database;
its group and its two instants repeat what the body says, so that rows can be listed. Nothing is
decided by them: a body is opened before it is believed.
"""

import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Generic, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from webex_oauth.errors import VaultError
from webex_oauth.vault.sealing import Context, Envelope, Sealer

LAST_REV = 1 << 62
MAX_NAME_BYTES = 64
LAST_INSTANT = 253_402_300_799
"""The end of the year 9999, the last one that a date can name."""
FIRST_REV_BYTES = 6

T = TypeVar("T")
Index: TypeAlias = tuple[bytes, int | None, int | None]
"""What lists a row: its group, `at` and `over_at`."""

log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What a row holds."""

    STATE = "state"
    SESSION = "session"
    GRANT = "grant"
    REVOCATION = "revocation"
    EVENT = "event"
    CURSOR = "cursor"
    KEY = "key"


class Row(Struct, frozen=True):
    """One row.

    `name` and `group` have at most MAX_NAME_BYTES. `rev` is from 1 to LAST_REV and changes with
    every write; 0 means that the row is absent. `group` names what the row belongs to. `at` is when
    the row is due, `over_at` when it may be removed, in seconds from 1970 to LAST_INSTANT; None
    keeps it out of that list.
    """

    kind: Kind
    name: bytes
    rev: int = 0
    body: bytes = b""
    group: bytes = b""
    at: int | None = None
    over_at: int | None = None

    @property
    def removal(self) -> "Change":
        """The change that deletes it."""
        return Change(Row(self.kind, self.name), self.rev)


class Change(Struct, frozen=True):
    """Write `row` over the revision `over` (0: only if absent); delete it if `row.rev` is 0.

    If `row.rev` equals `over`, nothing is written: the row only has to be at that revision.
    """

    row: Row
    over: int


def next_rev(rev: int) -> int:
    """Return the revision after *rev*."""
    return rev % LAST_REV + 1


class Rows(Protocol):
    """A database of rows. Every method raises StoreUnavailable within two seconds."""

    async def open(self) -> None:
        """Connect and create what is missing.

        Raises ConfigurationError if an operator has to change something first: also for a file or
        database of another schema version.
        """
        ...

    async def close(self) -> None:
        """Finish what was begun and disconnect."""
        ...

    async def check(self) -> None:
        """Prove that a write is possible now."""
        ...

    async def time(self) -> float:
        """Return the database's clock, in seconds since 1970: callers on all machines share it."""
        ...

    async def read(self, *rows: Row) -> Sequence[Row]:
        """Read rows by kind and name, in the order asked for; `rev` is 0 where one is absent."""
        ...

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:
        """Apply all changes, or none and return False if a row is not at its revision.

        With *durably* they are on disk before this returns (as far as the database is configured to
        promise it); without, they may be lost if the machine fails within the next moments.
        """
        ...

    async def by_name(self, kind: Kind, after: bytes, limit: int) -> Sequence[Row]:
        """List rows in the order of their names, starting behind *after*."""
        ...

    async def due(self, kind: Kind, instant: int, limit: int) -> Sequence[Row]:
        """List rows whose `at` is not after *instant*, the earliest first."""
        ...

    async def over(self, kind: Kind, instant: int, limit: int) -> Sequence[Row]:
        """List rows whose `over_at` is not after *instant*, the earliest first."""
        ...

    async def of_group(self, kind: Kind, group: bytes, limit: int) -> Sequence[Row]:
        """List the rows of a group, the latest `at` first."""
        ...


class Entry(Struct, Generic[T], frozen=True):
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
        (row,) = await self._rows.read(Row(self.kind, name))
        return self.open(row) if row.rev else None

    def open(self, row: Row) -> Entry[T]:
        """Open a row; raise SealBroken or KeyUnavailable."""
        context = Context(self.kind, row.name)
        return Entry(self._envelope.open(self._sealer, row.body, context), row.rev)

    def seal(self, name: bytes, record: T) -> bytes:
        """Return the body of a row of that name."""
        return self._envelope.seal(self._sealer, record, Context(self.kind, name))

    def put(self, name: bytes, record: T, over: int = 0) -> Change:
        """Return the change that writes *record* over a revision, 0 to add it."""
        # No writer can hold the revision of a row that was deleted since.
        rev = over or int.from_bytes(self._sealer.randomness(FIRST_REV_BYTES), "big")
        body = self.seal(name, record)
        return Change(Row(self.kind, name, next_rev(rev), body, *self._index(record)), over)

    def listed(self, row: Row, record: T) -> Row:
        """Return *row* as *record* lists it."""
        return Row(row.kind, row.name, row.rev, row.body, *self._index(record))


def log_unreadable(row: Row, error: VaultError) -> None:
    """Log that a row cannot be opened."""
    log.error(
        "a stored %(kind)s cannot be opened: %(error)s",
        {"kind": row.kind.value, "error": str(error)},
    )
