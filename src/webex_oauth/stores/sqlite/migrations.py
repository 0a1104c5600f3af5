"""The steps that made the tables what they are: the n-th brings a file to version n.

A step that was released never changes; what is new is a step at the end. A step only adds what the
version before can live with, so that a process of that version may work on until it is restarted.
"""

KEEP_BEFORE_END_SECONDS = 30 * 86_400

TABLES = (
    """
    CREATE TABLE attempts (
      state_digest BLOB NOT NULL PRIMARY KEY,
      browser_digest BLOB NOT NULL,
      sealed BLOB NOT NULL,
      expires_at INTEGER NOT NULL,
      kept_until INTEGER NOT NULL,
      state TEXT NOT NULL,
      session_digest BLOB
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX attempts_by_end ON attempts (kept_until)",
    """
    CREATE INDEX attempts_by_session ON attempts (session_digest)
      WHERE session_digest IS NOT NULL
    """,
    # Counting the rows anew for every sign-in would take longer the more there are.
    "CREATE TABLE tally (attempts INTEGER NOT NULL) STRICT",
    "INSERT INTO tally (attempts) VALUES (0)",
    """
    CREATE TRIGGER attempt_added AFTER INSERT ON attempts
      BEGIN UPDATE tally SET attempts = attempts + 1; END
    """,
    """
    CREATE TRIGGER attempt_dropped AFTER DELETE ON attempts
      BEGIN UPDATE tally SET attempts = attempts - 1; END
    """,
    """
    CREATE TABLE sessions (
      digest BLOB NOT NULL PRIMARY KEY,
      grant_key BLOB NOT NULL,
      sealed BLOB NOT NULL,
      created_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX sessions_by_grant ON sessions (grant_key)",
    "CREATE INDEX sessions_by_use ON sessions (seen_at)",
    "CREATE INDEX sessions_by_end ON sessions (expires_at)",
    """
    CREATE TABLE grants (
      key BLOB NOT NULL PRIMARY KEY,
      version INTEGER NOT NULL,
      sealed BLOB NOT NULL,
      access_expires_at INTEGER,
      ends_at INTEGER
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX grants_by_end ON grants (ends_at) WHERE ends_at IS NOT NULL",
    "CREATE TABLE pulse (beats INTEGER NOT NULL) STRICT",
    "INSERT INTO pulse (beats) VALUES (0)",
)

REFRESHES_REVOCATIONS_KEYS = (
    "ALTER TABLE grants ADD COLUMN keep_at INTEGER",
    "ALTER TABLE grants ADD COLUMN lease_owner BLOB",
    "ALTER TABLE grants ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE grants ADD COLUMN presented_count INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE grants ADD COLUMN failure_count INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE grants ADD COLUMN retry_at INTEGER NOT NULL DEFAULT 0",
    # Grants from before would else go unkept until their people come again.
    f"""
    UPDATE grants SET keep_at = max(access_expires_at, ends_at - {KEEP_BEFORE_END_SECONDS})
      WHERE ends_at > access_expires_at
    """,  # noqa: S608 - a figure of ours
    "UPDATE grants SET keep_at = access_expires_at WHERE ends_at IS NULL",
    # What cools down stands where its next try is, so that a failing server makes no search longer.
    """
    CREATE INDEX grants_by_next_keep ON grants (max(keep_at, retry_at))
      WHERE keep_at IS NOT NULL
    """,
    """
    CREATE TABLE revocations (
      grant_key BLOB NOT NULL,
      version INTEGER NOT NULL,
      sealed BLOB NOT NULL,
      ends_at INTEGER,
      due_at INTEGER NOT NULL,
      try_count INTEGER NOT NULL,
      PRIMARY KEY (grant_key, version)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX revocations_by_due ON revocations (due_at)",
    "CREATE INDEX revocations_by_end ON revocations (ends_at) WHERE ends_at IS NOT NULL",
    """
    CREATE TABLE key_checks (
      key_id TEXT NOT NULL PRIMARY KEY,
      sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # A session's attempt is found by its state.
    "DROP INDEX attempts_by_session",
)

STEPS = (TABLES, REFRESHES_REVOCATIONS_KEYS)
