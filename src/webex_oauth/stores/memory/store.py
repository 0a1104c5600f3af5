"""The memory store: no method waits inside, so each happens whole."""

import time
from collections.abc import Mapping, Sequence, Sized
from dataclasses import replace

from webex_oauth.stores.belonging import BelongingStore
from webex_oauth.stores.memory.attempts import Attempts
from webex_oauth.stores.memory.grants import Grants
from webex_oauth.stores.memory.revocations import Revocations
from webex_oauth.stores.memory.sessions import Sessions
from webex_oauth.vault.grants import revocation_of
from webex_oauth.vault.records import (
    AttemptRecord,
    EndedSession,
    FinishedAttempt,
    GrantRecord,
    Lease,
    RefreshTrouble,
    RevocationRecord,
    SealedRecord,
    SessionRecord,
    name_of,
)
from webex_oauth.vault.store import Admission, Row


class MemoryStore(BelongingStore):
    """Keep everything in dictionaries."""

    def __init__(self) -> None:
        self._attempts = Attempts()
        self._sessions = Sessions()
        self._grants = Grants()
        self._revocations = Revocations()
        self._key_checks: dict[str, bytes] = {}

    async def open(self) -> None:
        """Do nothing: memory is there."""

    async def close(self) -> None:
        """Do nothing: what was kept stays until the process ends."""

    async def check(self) -> None:
        """Do nothing: memory can always be written."""

    async def time(self) -> float:
        return time.time()

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        self._attempts.add(record, at_most, now)

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        return self._attempts.take(state_digest, browser_digest, now)

    async def abandon_attempt(self, state_digest: bytes) -> None:
        self._attempts.finish(state_digest, session_digest=None)

    async def admit(self, admission: Admission) -> EndedSession | None:
        session = admission.session
        self._sessions.check_free(session.digest)
        self._grants.write(admission.grant, admission.expected_version)
        self._sessions.add(session)
        self._attempts.finish(admission.attempt_state_digest, session.digest)
        if admission.earlier is not None:
            self._revocations.add(admission.earlier)
        if admission.replaced_session is None:
            return None
        return await self.end_session(
            admission.replaced_session,
            now=session.created_at,
            idle_seconds=admission.idle_seconds,
            keeps_grants=admission.keeps_grants,
        )

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        return self._grants.find(key)

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        return self._grants.claim(seen, lease, now)

    async def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        return self._grants.renew_lease(key, version, lease)

    async def release_grant(
        self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
    ) -> bool:
        return self._grants.release(key, version, owner, trouble)

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        self._grants.replace(record, expected_version)

    async def due_grants(self, *, now: int, limit: int) -> Sequence[GrantRecord]:
        return self._grants.due(now, limit)

    async def end_grant(self, key: bytes, *, now: int) -> RevocationRecord | None:
        self._sessions.drop_all_of(key)
        return self._queue(self._grants.drop(key), now)

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        return self._sessions.find(digest)

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        self._sessions.touch(digest, seen_at)

    async def replace_session(
        self, old_digest: bytes, new: SessionRecord, *, attempt_state_digest: bytes
    ) -> bool:
        if self._sessions.drop(old_digest) is None:
            return False
        self._sessions.add(new)
        self._attempts.rename_session(attempt_state_digest, old_digest, new.digest)
        return True

    async def sessions_of(self, grant_key: bytes, *, limit: int) -> Sequence[SessionRecord]:
        return self._sessions.of(grant_key, limit)

    async def over_sessions(
        self, *, now: int, idle_seconds: int, limit: int
    ) -> Sequence[SessionRecord]:
        return self._sessions.over(now, idle_seconds, limit)

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int, keeps_grants: bool
    ) -> EndedSession | None:
        session = self._sessions.drop(digest)
        if session is None:
            return None
        key = session.grant_key
        if keeps_grants or self._sessions.is_needed(key, now, idle_seconds):
            return EndedSession(key, None)
        return EndedSession(key, self._queue(self._grants.drop(key), now))

    async def add_revocation(self, record: RevocationRecord) -> None:
        self._revocations.add(record)

    async def take_revocations(
        self, *, now: int, until: int, limit: int
    ) -> Sequence[RevocationRecord]:
        return self._revocations.take(now, until, limit)

    async def postpone_revocation(self, grant_key: bytes, version: int, due_at: int) -> None:
        self._revocations.postpone(grant_key, version, due_at)

    async def drop_revocation(self, grant_key: bytes, version: int) -> None:
        self._revocations.drop(grant_key, version)

    async def scan(self, kind: type[Row], *, after: bytes, limit: int) -> Sequence[Row]:
        rows = self._records(kind)
        names = sorted(name for name in rows if name > after)[:limit]
        return [row for name in names if isinstance(row := rows[name], kind)]

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        current = self._records(type(record)).get(name_of(record))
        if current is None or current.sealed != record.sealed:
            return False
        self._put(replace(current, sealed=sealed))
        return True

    async def key_checks(self) -> dict[str, bytes]:
        return dict(self._key_checks)

    async def add_key_check(self, key_id: str, sealed: bytes) -> None:
        self._key_checks.setdefault(key_id, sealed)

    async def drop_key_check(self, key_id: str) -> None:
        self._key_checks.pop(key_id, None)

    async def shorten_waits(self, *, now: int, latest: int) -> None:
        self._grants.shorten_waits(now, latest)
        self._revocations.shorten_waits(now, latest)

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        """Remove what is over."""
        before = self._count()
        self._attempts.drop_over(now)
        self._sessions.drop_over(now, idle_seconds)
        self._grants.drop_over(now, needed=self._sessions.grant_keys())
        self._revocations.drop_over(now)
        return before - self._count()

    def _count(self) -> int:
        kinds: tuple[Sized, ...] = (
            self._attempts,
            self._sessions,
            self._grants,
            self._revocations,
        )
        return sum(len(kind) for kind in kinds)

    def _queue(self, grant: GrantRecord | None, now: int) -> RevocationRecord | None:
        if grant is None:
            return None
        revocation = revocation_of(grant, due_at=now)
        self._revocations.add(revocation)
        return revocation

    def _records(self, kind: type[SealedRecord]) -> Mapping[bytes, SealedRecord]:
        kinds: Mapping[type[SealedRecord], Attempts | Sessions | Grants | Revocations] = {
            AttemptRecord: self._attempts,
            SessionRecord: self._sessions,
            GrantRecord: self._grants,
            RevocationRecord: self._revocations,
        }
        return kinds[kind].records()

    def _put(self, record: SealedRecord) -> None:
        match record:
            case AttemptRecord():
                self._attempts.put(record)
            case SessionRecord():
                self._sessions.put(record)
            case GrantRecord():
                self._grants.put(record)
            case RevocationRecord():
                self._revocations.put(record)
