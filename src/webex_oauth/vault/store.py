"""The store: what the vault asks of a database, each step whole or not at all.

Every method raises StoreUnavailable, within two seconds, when the database cannot answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

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
)

Row = TypeVar("Row", AttemptRecord, SessionRecord, GrantRecord, RevocationRecord)

ABSENT = 0
"""The version of a grant that is not there."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What a sign-in brings, to be kept in one step.

    `earlier` are the tokens of the version that the grant replaces, to be queued for revocation.
    `replaced_session` is the digest of the session this browser had before; with `keeps_grants`
    its grant stays even when that was its last session.
    """

    grant: GrantRecord
    expected_version: int
    session: SessionRecord
    attempt_state_digest: bytes
    earlier: RevocationRecord | None
    replaced_session: bytes | None
    idle_seconds: int
    keeps_grants: bool


class Store(Protocol):
    """Keep attempts, sessions, grants and revocations; know no key.

    Instants are the callers'; `time` is what callers on several machines set their clocks by.
    """

    async def open(self) -> None:
        """Get ready; raise ConfigurationError when an operator has to change something first."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go."""
        ...

    async def check(self) -> None:
        """Prove that a write is possible just now."""
        ...

    async def time(self) -> float:
        """Tell the time where the data is kept, in seconds since 1970."""
        ...

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        """Add an attempt; drop expired ones, and the oldest beyond *at_most*."""
        ...

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        """Take an attempt, once ever; the one who gets the AttemptRecord completes the sign-in.

        An attempt taken before is remembered for TOMBSTONE_SECONDS. Raises AttemptUnknown,
        AttemptForeign (and leaves it to its own browser) or AttemptInProgress.
        """
        ...

    async def abandon_attempt(self, state_digest: bytes) -> None:
        """Mark a taken attempt as finished without a session."""
        ...

    async def admit(self, admission: Admission) -> EndedSession | None:
        """Complete a sign-in: keep the grant, add the session, finish the attempt, all in one.

        Raises StoreConflict, and nothing happened, when the grant's row has another version than
        the expected one; a lease on it ends. Gives what the replaced session was, as `end_session`
        does.
        """
        ...

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        """Find a grant."""
        ...

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        """Take the right to refresh the row that was *seen*, on the disk before it is given.

        Gives the row with the lease, its `presented_count` grown by one. None, and nothing
        happened, when the row is gone, has another version or has been through other trouble
        since, or is under a lease that lasts beyond *now*.
        """
        ...

    async def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        """Move the end of its owner's lease forward, never back.

        False, and nothing happened, when the version or the lease is no longer this one.
        """
        ...

    async def release_grant(
        self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
    ) -> bool:
        """Give *owner*'s lease back and keep what the refresh left behind.

        False, and nothing happened, when the version or the lease is no longer this one.
        """
        ...

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        """Write a grant over its *expected_version*; raise StoreConflict when it moved or went.

        Everything of the row is written, so that a lease on it ends.
        """
        ...

    async def due_grants(self, *, now: int, limit: int) -> Sequence[GrantRecord]:
        """Find grants whose `keep_at` has come, the longest due first.

        Those under a lease, or to be left alone before their `retry_at`, are not among them.
        """
        ...

    async def end_grant(self, key: bytes, *, now: int) -> RevocationRecord | None:
        """Delete a grant with all its sessions, and queue its tokens for revocation, due *now*.

        None when there was no such grant; its sessions end anyway.
        """
        ...

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        """Find a session that was not ended; `sessions.is_live` says whether its time is over."""
        ...

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        """Move `seen_at` forward, never back; do nothing when the session is gone."""
        ...

    async def replace_session(
        self, old_digest: bytes, new: SessionRecord, *, attempt_state_digest: bytes
    ) -> bool:
        """Put *new* in the place of a session, also for the attempt that brought it.

        False, and nothing happened, when it is gone.
        """
        ...

    async def sessions_of(self, grant_key: bytes, *, limit: int) -> Sequence[SessionRecord]:
        """Find the sessions of a grant, the latest seen first, also those whose time is over."""
        ...

    async def over_sessions(
        self, *, now: int, idle_seconds: int, limit: int
    ) -> Sequence[SessionRecord]:
        """Find sessions that are past their end at *now*, or idle, at most *limit* of each."""
        ...

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int, keeps_grants: bool
    ) -> EndedSession | None:
        """Delete a session; None when it is gone.

        When no other live session has its grant, and grants are not kept, the grant goes too, and
        its tokens are queued for revocation, due *now*.
        """
        ...

    async def add_revocation(self, record: RevocationRecord) -> None:
        """Queue tokens for revocation; do nothing when they are queued already."""
        ...

    async def take_revocations(
        self, *, now: int, until: int, limit: int
    ) -> Sequence[RevocationRecord]:
        """Take revocations that are due: nobody else gets them before *until*.

        Each comes with its `due_at` moved there and its `try_count` grown by one.
        """
        ...

    async def postpone_revocation(self, grant_key: bytes, version: int, due_at: int) -> None:
        """Move `due_at`; do nothing when the revocation is gone."""
        ...

    async def drop_revocation(self, grant_key: bytes, version: int) -> None:
        """Remove a revocation that is done, or will never be."""
        ...

    async def scan(self, kind: type[Row], *, after: bytes, limit: int) -> Sequence[Row]:
        """List rows of one kind in the order of their names, from the one that follows *after*."""
        ...

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        """Put *sealed* in the place of what *record* holds; change nothing else of the row.

        False, and nothing happened, when the row is gone or holds something else by now.
        """
        ...

    async def key_checks(self) -> dict[str, bytes]:
        """Give what is sealed under each key in use, by the key's id."""
        ...

    async def add_key_check(self, key_id: str, sealed: bytes) -> None:
        """Note that a key is in use; do nothing when that is noted already."""
        ...

    async def drop_key_check(self, key_id: str) -> None:
        """Note that a key is no longer in use."""
        ...

    async def shorten_waits(self, *, now: int, latest: int) -> None:
        """Move to *now* what waits for an instant after *latest*, which a wrong clock wrote.

        That is when a grant is kept alive next and when a revocation is due; a cool-down of such
        a grant ends.
        """
        ...

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        """Remove a batch of what is over; say how many rows went.

        Over are attempts and their tombstones, sessions, revocations whose tokens have ended, and
        grants without a session whose last token has ended; other grants without a session stay,
        for they can still be used.
        """
        ...
