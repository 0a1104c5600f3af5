"""The store: what the vault asks of a database, each step whole or not at all.

Every method raises StoreUnavailable, within two seconds, when the database cannot answer.
"""

from dataclasses import dataclass
from typing import Protocol

from webex_oauth.vault.records import (
    AttemptRecord,
    EndedSession,
    FinishedAttempt,
    GrantRecord,
    SessionRecord,
)

ABSENT = 0
"""The version of a grant that is not there."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What a sign-in brings, to be kept in one step.

    `replaced_session` is the digest of the session this browser had before.
    """

    grant: GrantRecord
    expected_version: int
    session: SessionRecord
    attempt_state_digest: bytes
    replaced_session: bytes | None
    idle_seconds: int


class Store(Protocol):
    """Keep attempts, sessions and grants; know no clock and no key."""

    async def open(self) -> None:
        """Get ready; raise ConfigurationError when an operator has to change something first."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go."""
        ...

    async def check(self) -> None:
        """Prove that a write is possible just now."""
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
        the expected one. Gives what the replaced session was, as `end_session` does.
        """
        ...

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        """Find a grant."""
        ...

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        """Write a grant over its *expected_version*; raise StoreConflict when it moved or went."""
        ...

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        """Find a session that was not ended; `sessions.is_live` says whether its time is over."""
        ...

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        """Move `seen_at` forward, never back; do nothing when the session is gone."""
        ...

    async def replace_session(self, old_digest: bytes, new: SessionRecord) -> bool:
        """Put *new* in the place of a session, also for the attempt that brought it.

        False, and nothing happened, when it is gone.
        """
        ...

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int
    ) -> EndedSession | None:
        """Delete a session, and its grant when no other live session has it; None when gone.

        The deleted grant is the only copy left: its tokens are the caller's to revoke.
        """
        ...

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        """Remove a batch of what is over; say how many rows went.

        Over are attempts and their tombstones, sessions, and grants without a session whose last
        token has ended; other grants without a session stay, for they can still be used.
        """
        ...
