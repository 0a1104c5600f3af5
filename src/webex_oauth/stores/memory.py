"""A store in this process's memory: for tests and demonstrations, gone when the process ends."""

from dataclasses import replace

from webex_oauth.errors import StoreConflict
from webex_oauth.vault.attempts import (
    TOMBSTONE_SECONDS,
    AttemptState,
    HeldAttempt,
    check_attempt,
)
from webex_oauth.vault.records import (
    AttemptRecord,
    EndedSession,
    FinishedAttempt,
    GrantRecord,
    SessionRecord,
)
from webex_oauth.vault.sessions import is_live
from webex_oauth.vault.store import ABSENT, Admission


class MemoryStore:
    """Keep everything in dictionaries; no method waits inside, so each is atomic."""

    def __init__(self) -> None:
        self._attempts: dict[bytes, HeldAttempt] = {}
        self._sessions: dict[bytes, SessionRecord] = {}
        self._grants: dict[bytes, GrantRecord] = {}

    async def open(self) -> None:
        """Do nothing: memory is there."""

    async def close(self) -> None:
        """Do nothing: what was kept stays until the process ends."""

    async def check(self) -> None:
        """Do nothing: memory can always be written."""

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        """Add an attempt; drop those whose time is over, and the oldest beyond *at_most*."""
        self._drop_attempts(now)
        if record.state_digest in self._attempts:
            raise StoreConflict("an attempt with this state is there already")
        oldest_first = sorted(self._attempts.values(), key=lambda held: held.kept_until)
        for held in oldest_first[: max(0, len(oldest_first) + 1 - at_most)]:
            del self._attempts[held.record.state_digest]
        self._attempts[record.state_digest] = HeldAttempt(record, record.expires_at)

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        """Take an attempt, once ever."""
        self._drop_attempts(now)
        outcome = check_attempt(self._attempts.get(state_digest), browser_digest)
        if isinstance(outcome, AttemptRecord):
            taken = HeldAttempt(outcome, now + TOMBSTONE_SECONDS, AttemptState.TAKEN)
            self._attempts[state_digest] = taken
        return outcome

    async def abandon_attempt(self, state_digest: bytes) -> None:
        """Mark a taken attempt as finished without a session."""
        self._finish_attempt(state_digest, session_digest=None)

    async def admit(self, admission: Admission) -> EndedSession | None:
        """Complete a sign-in."""
        session = admission.session
        if session.digest in self._sessions:
            raise StoreConflict("a session with this id is there already")
        self._write_grant(admission.grant, admission.expected_version)
        self._sessions[session.digest] = session
        self._finish_attempt(admission.attempt_state_digest, session.digest)
        if admission.replaced_session is None:
            return None
        return self._end(admission.replaced_session, session.created_at, admission.idle_seconds)

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        """Find a grant."""
        return self._grants.get(key)

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        """Write a grant over its *expected_version*."""
        if record.key not in self._grants:
            raise StoreConflict("the grant is gone")
        self._write_grant(record, expected_version)

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        """Find a session that was not ended."""
        return self._sessions.get(digest)

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        """Move `seen_at` forward."""
        session = self._sessions.get(digest)
        if session is not None and session.seen_at < seen_at:
            self._sessions[digest] = replace(session, seen_at=seen_at)

    async def replace_session(self, old_digest: bytes, new: SessionRecord) -> bool:
        """Put *new* in the place of a session."""
        if self._sessions.pop(old_digest, None) is None:
            return False
        self._sessions[new.digest] = new
        for state_digest, held in self._attempts.items():
            if held.session_digest == old_digest:
                self._attempts[state_digest] = replace(held, session_digest=new.digest)
        return True

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int
    ) -> EndedSession | None:
        """Delete a session, and its grant when no other live session has it."""
        return self._end(digest, now, idle_seconds)

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        """Remove what is over."""
        before = self._count()
        self._drop_attempts(now)
        self._sessions = {
            digest: session
            for digest, session in self._sessions.items()
            if is_live(session, now, idle_seconds)
        }
        needed = {session.grant_key for session in self._sessions.values()}
        self._grants = {
            key: grant
            for key, grant in self._grants.items()
            if key in needed or grant.ends_at is None or grant.ends_at > now
        }
        return before - self._count()

    def _count(self) -> int:
        return len(self._attempts) + len(self._sessions) + len(self._grants)

    def _drop_attempts(self, now: int) -> None:
        self._attempts = {
            digest: held for digest, held in self._attempts.items() if held.kept_until > now
        }

    def _finish_attempt(self, state_digest: bytes, session_digest: bytes | None) -> None:
        held = self._attempts.get(state_digest)
        if held is not None and held.state is AttemptState.TAKEN:
            finished = replace(held, state=AttemptState.FINISHED, session_digest=session_digest)
            self._attempts[state_digest] = finished

    def _write_grant(self, record: GrantRecord, expected_version: int) -> None:
        current = self._grants.get(record.key)
        if (ABSENT if current is None else current.version) != expected_version:
            raise StoreConflict("the grant moved on")
        self._grants[record.key] = record

    def _end(self, digest: bytes, now: int, idle_seconds: int) -> EndedSession | None:
        session = self._sessions.pop(digest, None)
        if session is None:
            return None
        is_needed = any(
            other.grant_key == session.grant_key and is_live(other, now, idle_seconds)
            for other in self._sessions.values()
        )
        grant = None if is_needed else self._grants.pop(session.grant_key, None)
        return EndedSession(session.grant_key, grant)
