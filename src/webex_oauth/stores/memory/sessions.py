"""Sessions in memory."""

from collections.abc import Sequence
from dataclasses import replace

from webex_oauth.errors import StoreConflict
from webex_oauth.stores.belonging import BelongingStore
from webex_oauth.vault.records import SessionRecord


class Sessions(BelongingStore):
    """The sessions of a store, by the digests of their ids."""

    def __init__(self) -> None:
        super().__init__()
        self._sessions: dict[bytes, SessionRecord] = {}

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        return self._sessions.get(digest)

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        session = self._sessions.get(digest)
        if session is not None and session.seen_at < seen_at:
            self._sessions[digest] = replace(session, seen_at=seen_at)

    async def sessions_of(self, grant_key: bytes, *, limit: int) -> Sequence[SessionRecord]:
        found = [one for one in self._sessions.values() if one.grant_key == grant_key]
        found.sort(key=lambda session: session.seen_at, reverse=True)
        return found[:limit]

    async def over_sessions(
        self, *, now: int, idle_seconds: int, limit: int
    ) -> Sequence[SessionRecord]:
        sessions = self._sessions.values()
        return [one for one in sessions if _is_over(one, now, idle_seconds)][:limit]

    def _check_free(self, digest: bytes) -> None:
        if digest in self._sessions:
            raise StoreConflict("a session with this id is there already")

    def _drop_over_sessions(self, now: int, idle_seconds: int) -> None:
        self._sessions = {
            digest: session
            for digest, session in self._sessions.items()
            if not _is_over(session, now, idle_seconds)
        }

    def _is_needed(self, grant_key: bytes, now: int, idle_seconds: int) -> bool:
        """Return whether a live session has this grant."""
        return any(
            session.grant_key == grant_key and not _is_over(session, now, idle_seconds)
            for session in self._sessions.values()
        )


def _is_over(session: SessionRecord, now: int, idle_seconds: int) -> bool:
    return session.expires_at <= now or session.seen_at <= now - idle_seconds
