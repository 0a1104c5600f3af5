"""Sessions in Redis; an ended one is gone, and nothing brings it back."""

from collections.abc import Sequence
from typing import Any

from webex_oauth.errors import StoreConflict
from webex_oauth.stores.redis.database import Database
from webex_oauth.stores.redis.revocations import read_ended_grant
from webex_oauth.stores.redis.rows import SESSION
from webex_oauth.vault.records import EndedSession, SessionRecord


async def find_session(database: Database, digest: bytes) -> SessionRecord | None:
    """Find a session."""
    values = await database.command("HMGET", database.row(SESSION.name, digest), *SESSION.columns)
    return SESSION.read_found(digest, values)


async def replace_session(
    database: Database, old_digest: bytes, new: SessionRecord, attempt_state_digest: bytes
) -> bool:
    """Put *new* in the place of a session that is still there."""
    outcome = await database.run(
        "replace_session",
        old_digest=old_digest,
        digest=new.digest,
        session=SESSION.fields(new),
        state_digest=attempt_state_digest,
    )
    if outcome == b"taken":
        raise StoreConflict("a session with this id is there already")
    return bool(outcome == b"replaced")


async def sessions_of(database: Database, grant_key: bytes, limit: int) -> Sequence[SessionRecord]:
    """Find the sessions of a grant, the latest seen first."""
    rows = await database.run(
        "sessions_of", key=grant_key, limit=limit, columns=SESSION.columns_text
    )
    return SESSION.read_all(rows)


async def over_sessions(
    database: Database, now: int, idle_seconds: int, limit: int
) -> Sequence[SessionRecord]:
    """Find sessions that are past their end, or idle."""
    rows = await database.run(
        "over_sessions",
        now=now,
        idle_since=now - idle_seconds,
        limit=limit,
        columns=SESSION.columns_text,
    )
    return list({record.digest: record for record in SESSION.read_all(rows)}.values())


async def end_session(
    database: Database, digest: bytes, now: int, idle_seconds: int, *, keeps_grants: bool
) -> EndedSession | None:
    """Delete a session, and its grant when no other live session has it."""
    ended = await database.run_durably(
        "end_session",
        digest=digest,
        now=now,
        idle_seconds=idle_seconds,
        keeps_grants="yes" if keeps_grants else None,
    )
    return read_ended_session(ended, now)


def read_ended_session(ended: Sequence[Any] | None, now: int) -> EndedSession | None:
    """Read what a script says of a session that it ended."""
    if ended is None:
        return None
    grant_key, grant = ended
    return EndedSession(
        grant_key, None if grant is None else read_ended_grant(grant_key, grant, now)
    )
