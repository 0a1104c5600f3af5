"""Attempts in Redis."""

from webex_oauth.errors import StoreConflict
from webex_oauth.stores.redis.database import RedisPart
from webex_oauth.stores.redis.rows import ATTEMPT, attempt_fields
from webex_oauth.vault.attempts import (
    TOMBSTONE_SECONDS,
    HeldAttempt,
    check_attempt,
    read_state,
)
from webex_oauth.vault.records import AttemptRecord, FinishedAttempt

BATCH = 100
"""How many attempts whose time is over go with each one that comes."""

HELD_COLUMNS = f"{ATTEMPT.columns_text} kept_until state session_digest"


class Attempts(RedisPart):
    """The attempts of a store."""

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        is_added = await self._database.run(
            "add_attempt",
            name=record.state_digest,
            attempt=attempt_fields(record),
            at_most=at_most,
            now=now,
            batch=BATCH,
        )
        if not is_added:
            raise StoreConflict("an attempt with this state is there already")

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        rows = await self._database.run(
            "take_attempt",
            name=state_digest,
            browser_digest=browser_digest,
            now=now,
            kept_until=now + TOMBSTONE_SECONDS,
            columns=HELD_COLUMNS,
        )
        held = None
        for name, (*values, kept_until, state, session_digest) in rows:
            record = ATTEMPT.read(name, values)
            told = state and state.decode(errors="replace")
            held = HeldAttempt(record, int(kept_until), read_state(record, told), session_digest)
        return check_attempt(held, browser_digest)

    async def abandon_attempt(self, state_digest: bytes) -> None:
        await self._database.run("abandon_attempt", name=state_digest)
