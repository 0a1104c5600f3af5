"""Sessions in PostgreSQL; an ended one is gone, and nothing brings it back."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final, LiteralString

from webex_oauth.stores.postgres.database import Link, PostgresPart
from webex_oauth.stores.postgres.grants import lock_grant_of
from webex_oauth.vault.grants import revocation_of
from webex_oauth.vault.records import EndedSession, SessionRecord
from webex_oauth.vault.row_values import read_each

COLUMNS: Final = "digest, grant_key, sealed, created_at, seen_at, expires_at"

FIND: Final = "SELECT " + COLUMNS + " FROM {schema}.sessions WHERE digest = %(digest)s"
OF_GRANT: Final = (
    "SELECT " + COLUMNS + " FROM {schema}.sessions WHERE grant_key = %(grant_key)s"
    " ORDER BY seen_at DESC, digest LIMIT %(limit)s"
)
OVER: Final = (
    "SELECT " + COLUMNS + " FROM {schema}.sessions WHERE digest = ANY (ARRAY("
    " SELECT digest FROM {schema}.sessions WHERE expires_at <= %(now)s LIMIT %(limit)s) || ARRAY("
    " SELECT digest FROM {schema}.sessions WHERE seen_at <= %(idle_since)s LIMIT %(limit)s))"
)
TOUCH: Final[LiteralString] = """
UPDATE {schema}.sessions SET seen_at = %(seen_at)s
  WHERE digest = %(digest)s AND seen_at < %(seen_at)s
"""
REPLACE: Final[LiteralString] = """
WITH renewed AS (
  UPDATE {schema}.sessions SET digest = %(digest)s, grant_key = %(grant_key)s,
      sealed = %(sealed)s, created_at = %(created_at)s, seen_at = %(seen_at)s,
      expires_at = %(expires_at)s
    WHERE digest = %(old_digest)s
    RETURNING digest
), moved AS (
  UPDATE {schema}.attempts SET session_digest = renewed.digest FROM renewed
    WHERE state_digest = %(state_digest)s AND session_digest = %(old_digest)s
)
SELECT digest FROM renewed
"""
END_ALONE: Final = "DELETE FROM {schema}.sessions WHERE digest = %(digest)s RETURNING grant_key"
# Run under a lock on the grant: of two that end a grant's last sessions, the later sees that the
# other is gone.
END: Final[LiteralString] = """
WITH ended AS (
  DELETE FROM {schema}.sessions WHERE digest = %(digest)s RETURNING grant_key
), gone AS (
  DELETE FROM {schema}.grants USING ended
    WHERE key = ended.grant_key AND %(is_locked)s AND NOT EXISTS (
      SELECT FROM {schema}.sessions AS other
        WHERE other.grant_key = ended.grant_key AND other.digest <> %(digest)s
          AND other.expires_at > %(now)s AND other.seen_at > %(idle_since)s)
    RETURNING key, version, sealed, ends_at
), queued AS (
  INSERT INTO {schema}.revocations (grant_key, version, sealed, ends_at, due_at, try_count)
    SELECT key, version, sealed, ends_at, %(now)s, 0 FROM gone
    ON CONFLICT (grant_key, version) DO NOTHING
)
SELECT grant_key, EXISTS (SELECT FROM gone) FROM ended
"""


class Sessions(PostgresPart):
    """The sessions of a store."""

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        row = await self._read(Link.row, FIND, {"digest": digest})
        return None if row is None else SessionRecord(*row)

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        await self._write(Link.run, TOUCH, {"digest": digest, "seen_at": seen_at})

    async def replace_session(
        self, old_digest: bytes, new: SessionRecord, *, attempt_state_digest: bytes
    ) -> bool:
        names = {"old_digest": old_digest, "state_digest": attempt_state_digest}
        return await self._write(Link.row, REPLACE, {**asdict(new), **names}) is not None

    async def sessions_of(self, grant_key: bytes, *, limit: int) -> Sequence[SessionRecord]:
        rows = await self._read(Link.rows, OF_GRANT, {"grant_key": grant_key, "limit": limit})
        return read_each(SessionRecord, rows)

    async def over_sessions(
        self, *, now: int, idle_seconds: int, limit: int
    ) -> Sequence[SessionRecord]:
        bounds = {"now": now, "idle_since": now - idle_seconds, "limit": limit}
        return read_each(SessionRecord, await self._read(Link.rows, OVER, bounds))


async def end_session(
    link: Link, digest: bytes, now: int, idle_seconds: int
) -> EndedSession | None:
    """Delete a session, and its grant when no other live session has it."""
    grant = await lock_grant_of(link, digest)
    bounds = {"now": now, "idle_since": now - idle_seconds, "is_locked": grant is not None}
    row = await link.row(END, {"digest": digest, **bounds})
    if row is None:
        return None
    grant_key, is_gone = row
    return EndedSession(grant_key, revocation_of(grant, now) if grant and is_gone else None)


async def end_session_alone(link: Link, digest: bytes) -> EndedSession | None:
    """Delete a session, and leave its grant."""
    row = await link.row(END_ALONE, {"digest": digest})
    return None if row is None else EndedSession(row[0], None)
