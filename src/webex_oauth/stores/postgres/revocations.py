"""Revocations in PostgreSQL: tokens that wait to be given back, taken by one at a time."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final, LiteralString

from webex_oauth.stores.postgres.database import Link, PostgresPart
from webex_oauth.vault.records import RevocationRecord
from webex_oauth.vault.row_values import read_each

ADD: Final[LiteralString] = """
INSERT INTO {schema}.revocations (grant_key, version, sealed, ends_at, due_at, try_count)
  VALUES (%(grant_key)s, %(version)s, %(sealed)s, %(ends_at)s, %(due_at)s, %(try_count)s)
  ON CONFLICT (grant_key, version) DO NOTHING
"""
# What somebody else is just taking is left to them.
TAKE: Final[LiteralString] = """
WITH due AS MATERIALIZED (
  SELECT grant_key, version, due_at FROM {schema}.revocations WHERE due_at <= %(now)s
    ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE {schema}.revocations AS taken SET due_at = %(until)s,
    try_count = LEAST(try_count, 1000000) + 1
  FROM due WHERE taken.grant_key = due.grant_key AND taken.version = due.version
  RETURNING due.due_at, taken.grant_key, taken.version, taken.sealed, taken.ends_at,
    taken.due_at, taken.try_count
"""
POSTPONE: Final[LiteralString] = """
UPDATE {schema}.revocations SET due_at = %(due_at)s
  WHERE grant_key = %(grant_key)s AND version = %(version)s
"""
DROP: Final[LiteralString] = """
DELETE FROM {schema}.revocations WHERE grant_key = %(grant_key)s AND version = %(version)s
"""


class Revocations(PostgresPart):
    """The revocations of a store."""

    async def add_revocation(self, record: RevocationRecord) -> None:
        await self._write(Link.run, ADD, asdict(record))

    async def take_revocations(
        self, *, now: int, until: int, limit: int
    ) -> Sequence[RevocationRecord]:
        rows = await self._write(Link.rows, TAKE, {"now": now, "until": until, "limit": limit})
        return read_each(lambda _, *row: RevocationRecord(*row), sorted(rows))

    async def postpone_revocation(self, grant_key: bytes, version: int, due_at: int) -> None:
        await self._write(
            Link.run, POSTPONE, {"grant_key": grant_key, "version": version, "due_at": due_at}
        )

    async def drop_revocation(self, grant_key: bytes, version: int) -> None:
        await self._write(Link.run, DROP, {"grant_key": grant_key, "version": version})
