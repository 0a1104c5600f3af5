"""Rows as the server keeps them: hashes of bytes; what a hash does not have is None."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias

from webex_oauth.stores.redis.database import Fields
from webex_oauth.vault.attempts import AttemptState
from webex_oauth.vault.records import (
    AttemptRecord,
    GrantRecord,
    RevocationRecord,
    SealedRecord,
    SessionRecord,
)
from webex_oauth.vault.row_values import read_each, unreadable
from webex_oauth.vault.store import ABSENT, Row

Values: TypeAlias = Sequence[Any]

VERSION_BYTES = 8


@dataclass(frozen=True, slots=True)
class Kind(Generic[Row]):
    """A kind of row: its name, the columns to ask for, and how to read their values."""

    name: str
    columns: tuple[str, ...]
    make: Callable[[bytes, Values], Row]

    @property
    def columns_text(self) -> str:
        """Name the columns for a script."""
        return " ".join(self.columns)

    def fields(self, record: Row) -> Fields:
        """Write a row: what its columns hold."""
        return {column: getattr(record, column) for column in self.columns}

    def read(self, name: bytes, values: Values) -> Row:
        """Read the row of that name; raise SealBroken for values that cannot be."""
        try:
            return self.make(name, values)
        except (ValueError, TypeError, OverflowError) as error:
            raise unreadable(self.name, name) from error

    def read_all(self, rows: Sequence[Any]) -> list[Row]:
        """Read the rows that a script gave, each a name and values; pass over what is no row."""
        return read_each(self.read, rows)

    def read_one(self, rows: Sequence[Any]) -> Row | None:
        """Read the only row that a script gave, if any."""
        return self.read(*rows[0]) if rows else None

    def read_found(self, name: bytes, values: Values) -> Row | None:
        """Read what was found under a name; None when nothing was."""
        return None if all(value is None for value in values) else self.read(name, values)


def attempt_fields(record: AttemptRecord) -> Fields:
    """Write an open attempt."""
    kept_until, state = record.expires_at, AttemptState.OPEN.value
    return {**ATTEMPT.fields(record), "kept_until": kept_until, "state": state}


def grant_fields(record: GrantRecord) -> Fields:
    """Write a grant."""
    return {**GRANT.fields(record), "version": version_bytes(record.version)}


def version_bytes(version: int) -> bytes:
    """Write a version, which scripts compare but never count with; ABSENT is nothing."""
    return b"" if version == ABSENT else version.to_bytes(VERSION_BYTES, "big")


def _read_attempt(name: bytes, values: Values) -> AttemptRecord:
    browser_digest, sealed, expires_at = values
    return AttemptRecord(name, browser_digest, sealed, int(expires_at))


def _read_session(name: bytes, values: Values) -> SessionRecord:
    grant_key, sealed, created_at, seen_at, expires_at = values
    return SessionRecord(name, grant_key, sealed, int(created_at), int(seen_at), int(expires_at))


def _read_grant(name: bytes, values: Values) -> GrantRecord:
    version, sealed, access_expires_at, ends_at, keep_at, lease_owner, *counts = values
    return GrantRecord(
        name,
        int.from_bytes(version, "big"),
        sealed,
        instant_or_none(access_expires_at),
        instant_or_none(ends_at),
        instant_or_none(keep_at),
        lease_owner,
        *map(int, counts),
    )


def _read_revocation(name: bytes, values: Values) -> RevocationRecord:
    sealed, ends_at, due_at, try_count = values
    grant_key, version = name[:-VERSION_BYTES], int.from_bytes(name[-VERSION_BYTES:], "big")
    return RevocationRecord(
        grant_key, version, sealed, instant_or_none(ends_at), int(due_at), int(try_count)
    )


def instant_or_none(value: bytes | None) -> int | None:
    """Read an instant that a row may lack."""
    return None if value is None else int(value)


ATTEMPT = Kind("attempt", ("browser_digest", "sealed", "expires_at"), _read_attempt)
SESSION = Kind(
    "session", ("grant_key", "sealed", "created_at", "seen_at", "expires_at"), _read_session
)
GRANT = Kind(
    "grant",
    (
        *("version", "sealed", "access_expires_at", "ends_at", "keep_at"),
        *("lease_owner", "lease_until", "presented_count", "failure_count", "retry_at"),
    ),
    _read_grant,
)
REVOCATION = Kind("revocation", ("sealed", "ends_at", "due_at", "try_count"), _read_revocation)
KINDS: Mapping[type[SealedRecord], Kind[Any]] = {
    AttemptRecord: ATTEMPT,
    SessionRecord: SESSION,
    GrantRecord: GRANT,
    RevocationRecord: REVOCATION,
}
