"""Sessions in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from webex_oauth.errors import StoreConflict
from webex_oauth.vault.records import SessionRecord


class Sessions:
    """Hold sessions by the digest of their id."""

    def __init__(self) -> None:
        self._sessions: dict[bytes, SessionRecord] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, digest: bytes) -> SessionRecord | None:
        """Find a session."""
        return self._sessions.get(digest)

    def add(self, record: SessionRecord) -> None:
        """Add a session; raise StoreConflict when there is one with its name."""
        self.check_free(record.digest)
        self._sessions[record.digest] = record

    def check_free(self, digest: bytes) -> None:
        """Raise StoreConflict when there is a session of that name."""
        if digest in self._sessions:
            raise StoreConflict("a session with this id is there already")

    def touch(self, digest: bytes, seen_at: int) -> None:
        """Move `seen_at` forward, never back."""
        session = self._sessions.get(digest)
        if session is not None and session.seen_at < seen_at:
            self._sessions[digest] = replace(session, seen_at=seen_at)

    def of(self, grant_key: bytes, limit: int) -> Sequence[SessionRecord]:
        """Find the sessions of a grant, the latest seen first."""
        found = [one for one in self._sessions.values() if one.grant_key == grant_key]
        found.sort(key=lambda session: session.seen_at, reverse=True)
        return found[:limit]

    def drop(self, digest: bytes) -> SessionRecord | None:
        """Delete a session and give it."""
        return self._sessions.pop(digest, None)

    def drop_all_of(self, grant_key: bytes) -> None:
        """Delete the sessions of a grant."""
        self._sessions = {
            digest: session
            for digest, session in self._sessions.items()
            if session.grant_key != grant_key
        }

    def is_needed(self, grant_key: bytes, now: int, idle_seconds: int) -> bool:
        """Say whether a live session has this grant."""
        return any(
            session.grant_key == grant_key and not _is_over(session, now, idle_seconds)
            for session in self._sessions.values()
        )

    def over(self, now: int, idle_seconds: int, limit: int) -> Sequence[SessionRecord]:
        """Find those whose time is over."""
        sessions = self._sessions.values()
        return [one for one in sessions if _is_over(one, now, idle_seconds)][:limit]

    def drop_over(self, now: int, idle_seconds: int) -> None:
        """Delete those whose time is over."""
        self._sessions = {
            digest: session
            for digest, session in self._sessions.items()
            if not _is_over(session, now, idle_seconds)
        }

    def grant_keys(self) -> set[bytes]:
        """Name the grants that have a session."""
        return {session.grant_key for session in self._sessions.values()}

    def records(self) -> Mapping[bytes, SessionRecord]:
        """Give all, by name."""
        return dict(self._sessions)

    def put(self, record: SessionRecord) -> None:
        """Put a record in the place of the one with its name."""
        self._sessions[record.digest] = record


def _is_over(session: SessionRecord, now: int, idle_seconds: int) -> bool:
    return session.expires_at <= now or session.seen_at <= now - idle_seconds
