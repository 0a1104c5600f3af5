"""Rows: everything a database keeps. It reads them, and applies several changes or none.

A row is found by its kind and name. Its body is sealed and means nothing to a database; its group
and its two instants repeat what the body says, so that rows can be listed. Nothing is decided by
them: the ledger opens a body before it believes anything.

Every method raises StoreUnavailable within two seconds if the database cannot answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

LAST_REV = 1 << 62


class Kind(StrEnum):
    """What a row holds."""

    STATE = "state"
    SESSION = "session"
    GRANT = "grant"
    REVOCATION = "revocation"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    `name` has at most 64 bytes. `rev` is from 1 to LAST_REV and changes with every write; 0 means
    that the row is absent. `group` names what the row belongs to. `at` is when the row is due,
    `over_at` when it may be removed, in seconds since 1970; None keeps it out of that list.
    """

    kind: Kind
    name: bytes
    rev: int = 0
    body: bytes = field(default=b"", repr=False)
    group: bytes = b""
    at: int | None = None
    over_at: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Write `row` over the revision `over` (0: only if absent); delete it if `row.rev` is 0.

    If `row.rev` equals `over`, nothing is written: the row only has to be at that revision.
    """

    row: Row
    over: int


def next_rev(rev: int) -> int:
    """Return the revision after *rev*."""
    return rev % LAST_REV + 1


class Rows(Protocol):
    """A database of rows."""

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
