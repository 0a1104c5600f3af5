"""Attempts in memory."""

from dataclasses import replace

from webex_oauth.errors import StoreConflict
from webex_oauth.stores.belonging import BelongingStore
from webex_oauth.vault.attempts import (
    TOMBSTONE_SECONDS,
    AttemptState,
    HeldAttempt,
    check_attempt,
)
from webex_oauth.vault.records import AttemptRecord, FinishedAttempt


class Attempts(BelongingStore):
    """The attempts of a store, by the digest of their state."""

    def __init__(self) -> None:
        super().__init__()
        self._attempts: dict[bytes, HeldAttempt] = {}

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        self._drop_over_attempts(now)
        if record.state_digest in self._attempts:
            raise StoreConflict("an attempt with this state is there already")
        oldest_first = sorted(self._attempts.values(), key=lambda held: held.kept_until)
        for held in oldest_first[: max(0, len(oldest_first) + 1 - at_most)]:
            del self._attempts[held.record.state_digest]
        self._attempts[record.state_digest] = HeldAttempt(record, record.expires_at)

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        self._drop_over_attempts(now)
        outcome = check_attempt(self._attempts.get(state_digest), browser_digest)
        if isinstance(outcome, AttemptRecord):
            taken = HeldAttempt(outcome, now + TOMBSTONE_SECONDS, AttemptState.TAKEN)
            self._attempts[state_digest] = taken
        return outcome

    async def abandon_attempt(self, state_digest: bytes) -> None:
        self._finish_attempt(state_digest, None)

    def _finish_attempt(self, state_digest: bytes, session_digest: bytes | None) -> None:
        held = self._attempts.get(state_digest)
        if held is not None and held.state is AttemptState.TAKEN:
            finished = replace(held, state=AttemptState.FINISHED, session_digest=session_digest)
            self._attempts[state_digest] = finished

    def _drop_over_attempts(self, now: int) -> None:
        self._attempts = {k: held for k, held in self._attempts.items() if held.kept_until > now}
