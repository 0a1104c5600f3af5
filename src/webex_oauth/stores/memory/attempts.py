"""Attempts in memory."""

from collections.abc import Mapping
from dataclasses import replace

from webex_oauth.errors import StoreConflict
from webex_oauth.vault.attempts import (
    TOMBSTONE_SECONDS,
    AttemptState,
    HeldAttempt,
    check_attempt,
)
from webex_oauth.vault.records import AttemptRecord, FinishedAttempt


class Attempts:
    """Hold attempts by the digest of their state."""

    def __init__(self) -> None:
        self._held: dict[bytes, HeldAttempt] = {}

    def __len__(self) -> int:
        return len(self._held)

    def add(self, record: AttemptRecord, at_most: int, now: int) -> None:
        """Add an attempt; drop those whose time is over, and the oldest beyond *at_most*."""
        self.drop_over(now)
        if record.state_digest in self._held:
            raise StoreConflict("an attempt with this state is there already")
        oldest_first = sorted(self._held.values(), key=lambda held: held.kept_until)
        for held in oldest_first[: max(0, len(oldest_first) + 1 - at_most)]:
            del self._held[held.record.state_digest]
        self._held[record.state_digest] = HeldAttempt(record, record.expires_at)

    def take(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        """Take an attempt, once ever."""
        self.drop_over(now)
        outcome = check_attempt(self._held.get(state_digest), browser_digest)
        if isinstance(outcome, AttemptRecord):
            taken = HeldAttempt(outcome, now + TOMBSTONE_SECONDS, AttemptState.TAKEN)
            self._held[state_digest] = taken
        return outcome

    def finish(self, state_digest: bytes, session_digest: bytes | None) -> None:
        """Say what a taken attempt came to."""
        held = self._held.get(state_digest)
        if held is not None and held.state is AttemptState.TAKEN:
            finished = replace(held, state=AttemptState.FINISHED, session_digest=session_digest)
            self._held[state_digest] = finished

    def rename_session(self, state_digest: bytes, old_digest: bytes, new_digest: bytes) -> None:
        """Say which name the session has now that an attempt came to."""
        held = self._held.get(state_digest)
        if held is not None and held.session_digest == old_digest:
            self._held[state_digest] = replace(held, session_digest=new_digest)

    def drop_over(self, now: int) -> None:
        """Forget attempts and tombstones whose time is over."""
        self._held = {digest: held for digest, held in self._held.items() if held.kept_until > now}

    def records(self) -> Mapping[bytes, AttemptRecord]:
        """Give the records of all, by name."""
        return {digest: held.record for digest, held in self._held.items()}

    def put(self, record: AttemptRecord) -> None:
        """Put a record in the place of the one with its name."""
        held = self._held[record.state_digest]
        self._held[record.state_digest] = replace(held, record=record)
