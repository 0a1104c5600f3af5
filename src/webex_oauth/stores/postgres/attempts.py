"""Attempts in PostgreSQL: each step is one statement.

How many there are is not counted for every sign-in, which would take longer the more there are:
an attempt goes when `at_most` were begun after it. All of those are still there as long as it is
open, so that at most so many are kept, and nobody's goes before its turn.
"""

from dataclasses import asdict
from typing import Final, LiteralString

from webex_oauth.errors import AttemptInProgress
from webex_oauth.stores.postgres.database import Link, PostgresPart
from webex_oauth.vault.attempts import (
    TOMBSTONE_SECONDS,
    AttemptState,
    HeldAttempt,
    check_attempt,
    read_state,
)
from webex_oauth.vault.records import AttemptRecord, FinishedAttempt

BATCH: Final = 100

# Rows that somebody else is at are left to them: those who begin at once never wait in a circle.
ADD: Final[LiteralString] = """
WITH added AS (
  INSERT INTO {schema}.attempts
      (state_digest, browser_digest, sealed, expires_at, kept_until, state)
    VALUES (%(state_digest)s, %(browser_digest)s, %(sealed)s, %(expires_at)s, %(expires_at)s,
      %(open)s)
    RETURNING ordinal
)
DELETE FROM {schema}.attempts WHERE state_digest = ANY (ARRAY(
    SELECT state_digest FROM {schema}.attempts WHERE kept_until <= %(now)s
      LIMIT %(batch)s FOR UPDATE SKIP LOCKED) || ARRAY(
    SELECT state_digest FROM {schema}.attempts
      WHERE ordinal <= (SELECT ordinal FROM added) - %(at_most)s FOR UPDATE SKIP LOCKED))
"""

# What is read here is the row as it was before; `is_taken` says who has changed it.
TAKE: Final[LiteralString] = """
WITH taken AS (
  UPDATE {schema}.attempts SET state = %(taken)s, kept_until = %(kept_until)s
    WHERE state_digest = %(state_digest)s AND browser_digest = %(browser_digest)s
      AND state = %(open)s AND kept_until > %(now)s
    RETURNING state_digest
)
SELECT browser_digest, sealed, expires_at, kept_until, state, session_digest,
    EXISTS (SELECT FROM taken) AS is_taken
  FROM {schema}.attempts WHERE state_digest = %(state_digest)s AND kept_until > %(now)s
"""

FINISH: Final[LiteralString] = """
UPDATE {schema}.attempts SET state = %(finished)s, session_digest = %(session_digest)s
  WHERE state_digest = %(state_digest)s AND state = %(taken)s
"""


class Attempts(PostgresPart):
    """The attempts of a store."""

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        await self._write(
            Link.run,
            ADD,
            {
                **asdict(record),
                "open": AttemptState.OPEN.value,
                "at_most": at_most,
                "now": now,
                "batch": BATCH,
            },
        )

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        row = await self._write(
            Link.row,
            TAKE,
            {
                "state_digest": state_digest,
                "browser_digest": browser_digest,
                "now": now,
                "kept_until": now + TOMBSTONE_SECONDS,
                "open": AttemptState.OPEN.value,
                "taken": AttemptState.TAKEN.value,
            },
        )
        if row is None:
            return check_attempt(None, browser_digest)
        browser, sealed, expires_at, kept_until, state, session_digest, is_taken = row
        record = AttemptRecord(state_digest, browser, sealed, expires_at)
        held = HeldAttempt(record, kept_until, read_state(record, state), session_digest)
        outcome = check_attempt(held, browser_digest)
        if isinstance(outcome, AttemptRecord) and not is_taken:
            raise AttemptInProgress("somebody else has taken the attempt just now")
        return outcome

    async def abandon_attempt(self, state_digest: bytes) -> None:
        await self._write(
            Link.run,
            FINISH,
            {
                "state_digest": state_digest,
                "session_digest": None,
                "taken": AttemptState.TAKEN.value,
                "finished": AttemptState.FINISHED.value,
            },
        )
