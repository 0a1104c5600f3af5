"""Sessions in Redis; an ended one is gone, and nothing brings it back."""

from collections.abc import Sequence
from typing import Any

from webex_oauth.errors import StoreConflict
from webex_oauth.stores.redis.database import RedisPart
from webex_oauth.stores.redis.revocations import read_ended_grant
from webex_oauth.stores.redis.rows import SESSION
from webex_oauth.vault.records import EndedSession, SessionRecord


class Sessions(RedisPart):
    """The sessions of a store."""

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        values = await self._database.command(
            "HMGET", self._database.row(SESSION.name, digest), *SESSION.columns
        )
        return SESSION.read_found(digest, values)

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        await self._database.run("touch_session", digest=digest, seen_at=seen_at)

    async def replace_session(
        self, old_digest: bytes, new: SessionRecord, *, attempt_state_digest: bytes
    ) -> bool:
        outcome = await self._database.run(
            "replace_session",
            old_digest=old_digest,
            digest=new.digest,
            session=SESSION.fields(new),
            state_digest=attempt_state_digest,
        )
        if outcome == b"taken":
            raise StoreConflict("a session with this id is there already")
        return bool(outcome == b"replaced")

    async def sessions_of(self, grant_key: bytes, *, limit: int) -> Sequence[SessionRecord]:
        rows = await self._database.run(
            "sessions_of", key=grant_key, limit=limit, columns=SESSION.columns_text
        )
        return SESSION.read_all(rows)

    async def over_sessions(
        self, *, now: int, idle_seconds: int, limit: int
    ) -> Sequence[SessionRecord]:
        rows = await self._database.run(
            "over_sessions",
            now=now,
            idle_since=now - idle_seconds,
            limit=limit,
            columns=SESSION.columns_text,
        )
        return list({record.digest: record for record in SESSION.read_all(rows)}.values())

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int, keeps_grants: bool
    ) -> EndedSession | None:
        ended = await self._database.run_durably(
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
