"""Rows of every kind, listed by name and sealed anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

from webex_oauth.stores.postgres import grants, sessions
from webex_oauth.stores.postgres.database import Link, Parameters, PostgresPart
from webex_oauth.vault.records import (
    AttemptRecord,
    GrantRecord,
    RevocationRecord,
    SealedRecord,
    SessionRecord,
    name_of,
)
from webex_oauth.vault.row_values import read_each
from webex_oauth.vault.store import Row

KEY_BYTES: Final = 32


class Rows(PostgresPart):
    """The rows of every kind in a store."""

    async def scan(self, kind: type[Row], *, after: bytes, limit: int) -> Sequence[Row]:
        rows = await self._read(
            Link.rows, KINDS[kind].scan, {**_name_parameters(after), "limit": limit}
        )
        return read_each(kind, rows)

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        name = _name_parameters(name_of(record))
        parameters = {**name, "old": record.sealed, "new": sealed}
        return await self._write(Link.run, KINDS[type(record)].reseal, parameters) == 1


@dataclass(frozen=True, slots=True)
class Kind:
    """How rows of one kind are listed after a name, read, and sealed anew."""

    scan: LiteralString
    reseal: LiteralString
    read: Callable[..., SealedRecord]


KINDS: Final[Mapping[type[SealedRecord], Kind]] = {
    AttemptRecord: Kind(
        "SELECT state_digest, browser_digest, sealed, expires_at FROM {schema}.attempts"
        " WHERE state_digest > %(key)s ORDER BY state_digest LIMIT %(limit)s",
        "UPDATE {schema}.attempts SET sealed = %(new)s"
        " WHERE state_digest = %(key)s AND sealed = %(old)s",
        AttemptRecord,
    ),
    SessionRecord: Kind(
        "SELECT " + sessions.COLUMNS + " FROM {schema}.sessions"
        " WHERE digest > %(key)s ORDER BY digest LIMIT %(limit)s",
        "UPDATE {schema}.sessions SET sealed = %(new)s WHERE digest = %(key)s AND sealed = %(old)s",
        SessionRecord,
    ),
    GrantRecord: Kind(
        "SELECT " + grants.COLUMNS + " FROM {schema}.grants"
        " WHERE key > %(key)s ORDER BY key LIMIT %(limit)s",
        "UPDATE {schema}.grants SET sealed = %(new)s WHERE key = %(key)s AND sealed = %(old)s",
        GrantRecord,
    ),
    RevocationRecord: Kind(
        "SELECT grant_key, version, sealed, ends_at, due_at, try_count FROM {schema}.revocations"
        " WHERE (grant_key, version) > (%(key)s, %(version)s)"
        " ORDER BY grant_key, version LIMIT %(limit)s",
        "UPDATE {schema}.revocations SET sealed = %(new)s"
        " WHERE grant_key = %(key)s AND version = %(version)s AND sealed = %(old)s",
        RevocationRecord,
    ),
}


def _name_parameters(name: bytes) -> Parameters:
    """Split a name: all but those of revocations are a key and nothing else."""
    version = name[KEY_BYTES:]
    return {
        "key": name[:KEY_BYTES],
        "version": int.from_bytes(version, "big") if version else -1,
    }
