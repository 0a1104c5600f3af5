"""The memory store: no method waits inside, so each happens whole."""

import time
from collections.abc import Mapping, Sequence, Sized
from dataclasses import replace

from webex_oauth.stores.memory.attempts import Attempts
from webex_oauth.stores.memory.grants import Grants
from webex_oauth.stores.memory.revocations import Revocations
from webex_oauth.stores.memory.sessions import Sessions
from webex_oauth.vault.attempts import HeldAttempt
from webex_oauth.vault.grants import revocation_of
from webex_oauth.vault.records import (
    AttemptRecord,
    EndedSession,
    GrantRecord,
    RevocationRecord,
    SealedRecord,
    SessionRecord,
    name_of,
)
from webex_oauth.vault.store import Admission, Row


class MemoryStore(Attempts, Sessions, Grants, Revocations):
    """Keep everything in dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self._key_checks: dict[str, bytes] = {}

    async def open(self) -> None:
        """Do nothing: memory is there."""

    async def close(self) -> None:
        """Do nothing: what was kept stays until the process ends."""

    async def check(self) -> None:
        """Do nothing: memory can always be written."""

    async def time(self) -> float:
        return time.time()

    async def admit(self, admission: Admission) -> EndedSession | None:
        session = admission.session
        self._check_free(session.digest)
        self._write_grant(admission.grant, admission.expected_version)
        self._sessions[session.digest] = session
        self._finish_attempt(admission.attempt_state_digest, session.digest)
        if admission.earlier is not None:
            await self.add_revocation(admission.earlier)
        if admission.replaced_session is None:
            return None
        return await self.end_session(
            admission.replaced_session,
            now=session.created_at,
            idle_seconds=admission.idle_seconds,
            keeps_grants=admission.keeps_grants,
        )

    async def end_grant(self, key: bytes, *, now: int) -> RevocationRecord | None:
        self._sessions = {k: one for k, one in self._sessions.items() if one.grant_key != key}
        return await self._give_up(key, now)

    async def replace_session(
        self, old_digest: bytes, new: SessionRecord, *, attempt_state_digest: bytes
    ) -> bool:
        if old_digest not in self._sessions:
            return False
        self._check_free(new.digest)
        del self._sessions[old_digest]
        self._sessions[new.digest] = new
        held = self._attempts.get(attempt_state_digest)
        if held is not None and held.session_digest == old_digest:
            self._attempts[attempt_state_digest] = replace(held, session_digest=new.digest)
        return True

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int, keeps_grants: bool
    ) -> EndedSession | None:
        session = self._sessions.pop(digest, None)
        if session is None:
            return None
        key = session.grant_key
        if keeps_grants or self._is_needed(key, now, idle_seconds):
            return EndedSession(key, None)
        return EndedSession(key, await self._give_up(key, now))

    async def scan(self, kind: type[Row], *, after: bytes, limit: int) -> Sequence[Row]:
        rows = self._rows(kind)
        names = sorted(name for name in rows if name > after)[:limit]
        records = (rows[name] for name in names)
        found = (row.record if isinstance(row, HeldAttempt) else row for row in records)
        return [record for record in found if isinstance(record, kind)]

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        name = name_of(record)
        current = self._rows(type(record)).get(name)
        if isinstance(current, HeldAttempt):
            current = current.record
        if current is None or current.sealed != record.sealed:
            return False
        match replace(current, sealed=sealed):
            case AttemptRecord() as resealed:
                self._attempts[name] = replace(self._attempts[name], record=resealed)
            case SessionRecord() as resealed:
                self._sessions[name] = resealed
            case GrantRecord() as resealed:
                self._grants[name] = resealed
            case RevocationRecord() as resealed:
                self._revocations[name] = resealed
        return True

    async def key_checks(self) -> dict[str, bytes]:
        return dict(self._key_checks)

    async def add_key_check(self, key_id: str, sealed: bytes) -> None:
        self._key_checks.setdefault(key_id, sealed)

    async def drop_key_check(self, key_id: str) -> None:
        self._key_checks.pop(key_id, None)

    async def shorten_waits(self, *, now: int, latest: int) -> None:
        for key, grant in self._grants.items():
            if grant.keep_at is not None and max(grant.keep_at, grant.retry_at) > latest:
                self._grants[key] = replace(grant, keep_at=now, retry_at=0)
        for name, revocation in self._revocations.items():
            if revocation.due_at > latest:
                self._revocations[name] = replace(revocation, due_at=now)

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        """Remove what is over, all at once."""
        before = self._count()
        self._drop_over_attempts(now)
        self._drop_over_sessions(now, idle_seconds)
        needed = {session.grant_key for session in self._sessions.values()}
        self._grants = {
            key: grant
            for key, grant in self._grants.items()
            if key in needed or grant.ends_at is None or grant.ends_at > now
        }
        self._revocations = {
            name: one
            for name, one in self._revocations.items()
            if one.ends_at is None or one.ends_at > now
        }
        return before - self._count()

    def _count(self) -> int:
        kept: tuple[Sized, ...] = (self._attempts, self._sessions, self._grants, self._revocations)
        return sum(len(rows) for rows in kept)

    async def _give_up(self, key: bytes, now: int) -> RevocationRecord | None:
        """Delete a grant, and queue its tokens for revocation."""
        grant = self._grants.pop(key, None)
        if grant is None:
            return None
        revocation = revocation_of(grant, due_at=now)
        await self.add_revocation(revocation)
        return revocation

    def _rows(self, kind: type[SealedRecord]) -> Mapping[bytes, HeldAttempt | SealedRecord]:
        kinds: Mapping[type[SealedRecord], Mapping[bytes, HeldAttempt | SealedRecord]] = {
            AttemptRecord: self._attempts,
            SessionRecord: self._sessions,
            GrantRecord: self._grants,
            RevocationRecord: self._revocations,
        }
        return kinds[kind]
