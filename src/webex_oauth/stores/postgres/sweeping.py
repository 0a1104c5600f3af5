"""Sweeping: what is over leaves the tables, a batch at a time, around those who are at work.

Waits for an instant that no wait reaches end here as well.
"""

from typing import Final, LiteralString

from webex_oauth.stores.postgres.database import Link

BATCH: Final = 500

ATTEMPTS: Final[LiteralString] = """
DELETE FROM {schema}.attempts WHERE state_digest = ANY (ARRAY(
  SELECT state_digest FROM {schema}.attempts WHERE kept_until <= %(now)s
    LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
"""
EXPIRED_SESSIONS: Final[LiteralString] = """
DELETE FROM {schema}.sessions WHERE digest = ANY (ARRAY(
  SELECT digest FROM {schema}.sessions WHERE expires_at <= %(now)s
    LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
"""
IDLE_SESSIONS: Final[LiteralString] = """
DELETE FROM {schema}.sessions WHERE digest = ANY (ARRAY(
  SELECT digest FROM {schema}.sessions WHERE seen_at <= %(idle_since)s
    LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
"""
SPENT_GRANTS: Final[LiteralString] = """
DELETE FROM {schema}.grants WHERE key = ANY (ARRAY(
  SELECT key FROM {schema}.grants AS spent WHERE ends_at <= %(now)s
    AND NOT EXISTS (SELECT FROM {schema}.sessions WHERE grant_key = spent.key)
    LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
"""
LATE_REVOCATIONS: Final[LiteralString] = """
WITH late AS MATERIALIZED (
  SELECT grant_key, version FROM {schema}.revocations WHERE ends_at <= %(now)s
    LIMIT %(batch)s FOR UPDATE SKIP LOCKED
)
DELETE FROM {schema}.revocations AS over USING late
  WHERE over.grant_key = late.grant_key AND over.version = late.version
"""
FAR_KEEPS: Final[LiteralString] = """
UPDATE {schema}.grants SET keep_at = %(now)s, retry_at = 0 WHERE keep_at > %(latest)s
"""
FAR_REVOCATIONS: Final[LiteralString] = """
UPDATE {schema}.revocations SET due_at = %(now)s WHERE due_at > %(latest)s
"""

ALL: Final = (ATTEMPTS, EXPIRED_SESSIONS, IDLE_SESSIONS, SPENT_GRANTS, LATE_REVOCATIONS)


async def shorten_waits(link: Link, now: int, latest: int) -> None:
    """Move to *now* what waits for an instant after *latest*."""
    for statement in (FAR_KEEPS, FAR_REVOCATIONS):
        await link.run(statement, {"now": now, "latest": latest})


async def sweep(link: Link, now: int, idle_seconds: int) -> int:
    """Remove at most a batch of each kind, each by itself; say how many rows went."""
    bounds = {"now": now, "idle_since": now - idle_seconds, "batch": BATCH}
    return sum([await link.run(statement, bounds) for statement in ALL])
