"""Grants in PostgreSQL, written only over the version that the writer has seen."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final, LiteralString

from psycopg.rows import TupleRow

from webex_oauth.errors import StoreConflict
from webex_oauth.stores.postgres.database import Link, PostgresPart
from webex_oauth.vault.cooldown import latest_end
from webex_oauth.vault.grants import revocation_of
from webex_oauth.vault.records import GrantRecord, Lease, RefreshTrouble, RevocationRecord
from webex_oauth.vault.row_values import read_each

COLUMNS: Final = """key, version, sealed, access_expires_at, ends_at, keep_at, lease_owner,
  lease_until, presented_count, failure_count, retry_at"""

FIND: Final = "SELECT " + COLUMNS + " FROM {schema}.grants WHERE key = %(key)s"
LOCK: Final = FIND + " FOR UPDATE"
LOCK_OF_SESSION: Final = (
    "SELECT " + COLUMNS + " FROM {schema}.grants WHERE key ="
    " (SELECT grant_key FROM {schema}.sessions WHERE digest = %(digest)s) FOR UPDATE"
)
CLAIM: Final = (
    "UPDATE {schema}.grants SET lease_owner = %(owner)s, lease_until = %(until)s,"
    " presented_count = presented_count + 1"
    " WHERE key = %(key)s AND version = %(version)s AND lease_until <= %(now)s"
    " AND presented_count = %(presented_count)s AND failure_count = %(failure_count)s"
    " AND retry_at = %(retry_at)s"
    " RETURNING " + COLUMNS
)
RENEW: Final[LiteralString] = """
UPDATE {schema}.grants SET lease_until = GREATEST(lease_until, %(until)s)
  WHERE key = %(key)s AND version = %(version)s AND lease_owner = %(owner)s
"""
RELEASE: Final[LiteralString] = """
UPDATE {schema}.grants SET lease_owner = NULL, lease_until = 0,
    presented_count = %(presented_count)s, failure_count = %(failure_count)s,
    retry_at = %(retry_at)s
  WHERE key = %(key)s AND version = %(version)s AND lease_owner = %(owner)s
"""
REPLACE: Final[LiteralString] = """
UPDATE {schema}.grants SET version = %(version)s, sealed = %(sealed)s,
    access_expires_at = %(access_expires_at)s, ends_at = %(ends_at)s, keep_at = %(keep_at)s,
    lease_owner = %(lease_owner)s, lease_until = %(lease_until)s,
    presented_count = %(presented_count)s, failure_count = %(failure_count)s,
    retry_at = %(retry_at)s
  WHERE key = %(key)s AND version = %(expected_version)s
"""
DUE: Final = (
    "SELECT " + COLUMNS + " FROM {schema}.grants"
    " WHERE keep_at <= %(now)s AND lease_until NOT BETWEEN %(now)s + 1 AND %(latest)s"
    " AND retry_at NOT BETWEEN %(now)s + 1 AND %(latest)s"
    " ORDER BY keep_at, key LIMIT %(limit)s"
)
# Only a row that is locked is deleted: one that came in the meantime is another sign-in's.
END: Final[LiteralString] = """
WITH dropped AS (DELETE FROM {schema}.sessions WHERE grant_key = %(key)s),
gone AS (
  DELETE FROM {schema}.grants WHERE key = %(key)s AND %(is_locked)s
    RETURNING key, version, sealed, ends_at
)
INSERT INTO {schema}.revocations (grant_key, version, sealed, ends_at, due_at, try_count)
  SELECT key, version, sealed, ends_at, %(now)s, 0 FROM gone
  ON CONFLICT (grant_key, version) DO NOTHING
"""


class Grants(PostgresPart):
    """The grants of a store."""

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        return _record(await self._read(Link.row, FIND, {"key": key}))

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        claim = {
            "key": seen.key,
            "version": seen.version,
            **asdict(seen.trouble),
            "owner": lease.owner,
            "until": lease.until,
            "now": now,
        }
        return _record(await self._write(Link.row, CLAIM, claim))

    async def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        renewal = {"key": key, "version": version, "owner": lease.owner, "until": lease.until}
        return await self._write(Link.run, RENEW, renewal) == 1

    async def release_grant(
        self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
    ) -> bool:
        release = {"key": key, "version": version, "owner": owner, **asdict(trouble)}
        return await self._write(Link.run, RELEASE, release) == 1

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        grant = {**asdict(record), "expected_version": expected_version}
        if await self._write(Link.run, REPLACE, grant) == 0:
            raise StoreConflict("the grant moved on")

    async def due_grants(self, *, now: int, limit: int) -> Sequence[GrantRecord]:
        bounds = {"now": now, "limit": limit, "latest": latest_end(now)}
        return read_each(GrantRecord, await self._read(Link.rows, DUE, bounds))


async def end_grant(link: Link, key: bytes, now: int) -> RevocationRecord | None:
    """Delete a grant with its sessions, and queue its tokens for revocation."""
    grant = _record(await link.row(LOCK, {"key": key}))
    await link.run(END, {"key": key, "now": now, "is_locked": grant is not None})
    return None if grant is None else revocation_of(grant, due_at=now)


async def lock_grant_of(link: Link, session_digest: bytes) -> GrantRecord | None:
    """Keep everybody else from changing the grant of a session until the transaction ends."""
    return _record(await link.row(LOCK_OF_SESSION, {"digest": session_digest}))


def _record(row: TupleRow | None) -> GrantRecord | None:
    return None if row is None else GrantRecord(*row)
