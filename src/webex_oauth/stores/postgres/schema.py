"""The tables, made and changed in steps; a schema of a newer program is refused."""

from functools import partial
from typing import Final, LiteralString

from psycopg import errors

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.postgres.database import Link, transact

VERSION_1: Final[tuple[LiteralString, ...]] = (
    "CREATE TABLE {schema}.schema_version (version integer NOT NULL)",
    "INSERT INTO {schema}.schema_version (version) VALUES (0)",
    # The ordinals bound the attempts without counting them: see attempts.py.
    """
    CREATE TABLE {schema}.attempts (
      state_digest bytea PRIMARY KEY,
      ordinal bigint GENERATED ALWAYS AS IDENTITY,
      browser_digest bytea NOT NULL,
      sealed bytea NOT NULL,
      expires_at bigint NOT NULL,
      kept_until bigint NOT NULL,
      state text NOT NULL,
      session_digest bytea
    )
    """,
    "CREATE UNIQUE INDEX attempts_by_ordinal ON {schema}.attempts (ordinal)",
    "CREATE INDEX attempts_by_end ON {schema}.attempts (kept_until)",
    """
    CREATE TABLE {schema}.sessions (
      digest bytea PRIMARY KEY,
      grant_key bytea NOT NULL,
      sealed bytea NOT NULL,
      created_at bigint NOT NULL,
      seen_at bigint NOT NULL,
      expires_at bigint NOT NULL
    )
    """,
    "CREATE INDEX sessions_by_grant ON {schema}.sessions (grant_key, seen_at)",
    "CREATE INDEX sessions_by_use ON {schema}.sessions (seen_at)",
    "CREATE INDEX sessions_by_end ON {schema}.sessions (expires_at)",
    # A lease is written beside the old row, without touching an index, where the page has room.
    """
    CREATE TABLE {schema}.grants (
      key bytea PRIMARY KEY,
      version bigint NOT NULL,
      sealed bytea NOT NULL,
      access_expires_at bigint,
      ends_at bigint,
      keep_at bigint,
      lease_owner bytea,
      lease_until bigint NOT NULL,
      presented_count integer NOT NULL,
      failure_count integer NOT NULL,
      retry_at bigint NOT NULL
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX grants_by_end ON {schema}.grants (ends_at) WHERE ends_at IS NOT NULL",
    "CREATE INDEX grants_to_keep ON {schema}.grants (keep_at) WHERE keep_at IS NOT NULL",
    """
    CREATE TABLE {schema}.revocations (
      grant_key bytea NOT NULL,
      version bigint NOT NULL,
      sealed bytea NOT NULL,
      ends_at bigint,
      due_at bigint NOT NULL,
      try_count integer NOT NULL,
      PRIMARY KEY (grant_key, version)
    )
    """,
    "CREATE INDEX revocations_due ON {schema}.revocations (due_at)",
    """
    CREATE INDEX revocations_by_end ON {schema}.revocations (ends_at) WHERE ends_at IS NOT NULL
    """,
    "CREATE TABLE {schema}.key_checks (key_id text PRIMARY KEY, sealed bytea NOT NULL)",
    "CREATE TABLE {schema}.pulse (beats bigint NOT NULL)",
    "INSERT INTO {schema}.pulse (beats) VALUES (0)",
)

STEPS: Final = (VERSION_1,)
"""What makes version 1 of an empty schema, version 2 of version 1, and so on."""

# The catalogue's rows, and not to_regclass: that may answer from before this process waited.
HAS_TABLES: Final[LiteralString] = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace AS held_by
    ON held_by.oid = relnamespace
  WHERE nspname = '{schema}' AND relname = 'schema_version')
"""
HAS_SCHEMA: Final = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = '{schema}')"
VERSION: Final = "SELECT version FROM {schema}.schema_version"
SET_VERSION: Final = "UPDATE {schema}.schema_version SET version = %(version)s"
USER: Final = "SELECT current_user"
LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '20s'"
# Locks of a transaction end with it, behind PgBouncer too.
TAKE_TURNS: Final[LiteralString] = """
SELECT pg_advisory_xact_lock(hashtextextended('webex-oauth {schema}', 0))
"""


async def prepare_schema(link: Link, schema: str) -> None:
    """Bring the tables to this program's version, in one transaction.

    Of several processes that start together one does it, and the others wait. Raises
    ConfigurationError for a newer schema or another program's, and when the user may not make what
    is missing.
    """
    try:
        if await _version(link, schema) < len(STEPS):
            await transact(link, partial(take_steps, schema=schema))
    except errors.InsufficientPrivilege as error:
        raise await _lack_of_rights(link, schema) from error
    except errors.DuplicateTable as error:
        mistake = (
            f"schema {schema} of the database holds another program's tables: "
            "choose another with schema= in WEBEX_STORE_URL"
        )
        raise ConfigurationError([mistake]) from error


async def take_steps(link: Link, schema: str) -> None:
    """Take the steps that are missing, while nobody else does."""
    await link.run(LOCK_TIMEOUT)
    await link.row(TAKE_TURNS)
    version = await _version(link, schema)
    if not await _is(link, HAS_SCHEMA):
        await link.run("CREATE SCHEMA {schema}")
    for step in STEPS[version:]:
        await link.run(";".join(step))
    await link.run(SET_VERSION, {"version": len(STEPS)})


async def _version(link: Link, schema: str) -> int:
    if not await _is(link, HAS_TABLES):
        return 0
    row = await link.row(VERSION)
    version: int = 0 if row is None else row[0]
    if version > len(STEPS):
        mistake = (
            f"schema {schema} of the database was written by a newer webex-oauth: start that "
            "one, or choose another with schema= in WEBEX_STORE_URL"
        )
        raise ConfigurationError([mistake])
    return version


async def _is(link: Link, question: LiteralString) -> bool:
    row = await link.row(question)
    return row is not None and bool(row[0])


async def _lack_of_rights(link: Link, schema: str) -> ConfigurationError:
    row = await link.row(USER)
    user = "the user" if row is None else row[0]
    mistake = (
        f"{user} may not make the tables of the store, or not use them: have the database's "
        f"owner run CREATE SCHEMA {schema} AUTHORIZATION {user}"
    )
    return ConfigurationError([mistake])
