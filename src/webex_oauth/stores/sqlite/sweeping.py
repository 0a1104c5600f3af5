"""Sweeping: what is over leaves the file, a batch at a time; waits without a sense end."""

import sqlite3

BATCH = 500

ATTEMPTS = """
DELETE FROM attempts WHERE state_digest IN
  (SELECT state_digest FROM attempts WHERE kept_until <= :now LIMIT :batch)
"""
EXPIRED_SESSIONS = """
DELETE FROM sessions WHERE digest IN
  (SELECT digest FROM sessions WHERE expires_at <= :now LIMIT :batch)
"""
IDLE_SESSIONS = """
DELETE FROM sessions WHERE digest IN
  (SELECT digest FROM sessions WHERE seen_at <= :now - :idle_seconds LIMIT :batch)
"""
SPENT_GRANTS = """
DELETE FROM grants WHERE key IN
  (SELECT key FROM grants WHERE ends_at <= :now
     AND NOT EXISTS (SELECT 1 FROM sessions WHERE grant_key = grants.key) LIMIT :batch)
"""
REVOCATIONS = """
DELETE FROM revocations WHERE (grant_key, version) IN
  (SELECT grant_key, version FROM revocations WHERE ends_at <= :now LIMIT :batch)
"""
FAR_KEEPS = """
UPDATE grants SET keep_at = :now, retry_at = 0
  WHERE max(keep_at, retry_at) > :latest AND keep_at IS NOT NULL
"""
FAR_REVOCATIONS = "UPDATE revocations SET due_at = :now WHERE due_at > :latest"


def shorten_waits(connection: sqlite3.Connection, now: int, latest: int) -> None:
    for statement in (FAR_KEEPS, FAR_REVOCATIONS):
        connection.execute(statement, {"now": now, "latest": latest})


def sweep(connection: sqlite3.Connection, now: int, idle_seconds: int) -> int:
    bounds = {"now": now, "idle_seconds": idle_seconds, "batch": BATCH}
    statements = (ATTEMPTS, EXPIRED_SESSIONS, IDLE_SESSIONS, SPENT_GRANTS, REVOCATIONS)
    return sum(connection.execute(statement, bounds).rowcount for statement in statements)
