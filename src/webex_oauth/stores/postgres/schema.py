"""The table of rows and the functions that write it: created once, refused if they are not ours."""

from collections.abc import Sequence
from typing import Final, LiteralString

from psycopg import errors
from psycopg.rows import TupleRow

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.postgres.pool import Connection

VERSION: Final = 3
OURS: Final = "store"
OLDER: Final = "schema_version"

# A row is written beside its old version, without touching an index, where the page has room.
# A list leaves out rows that cannot be read, so a page of them would hide all that follow: nobody
# may write one. Instants end with the year 9999.
TABLES: Final[LiteralString] = """
CREATE TABLE {schema}.rows (
  kind text NOT NULL CHECK (
    kind IN ('state', 'session', 'grant', 'revocation', 'event', 'cursor', 'key')
  ),
  name bytea NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  rev bigint NOT NULL CHECK (rev BETWEEN 1 AND 1::bigint << 62),
  body bytea NOT NULL,
  group_name bytea NOT NULL CHECK (length(group_name) <= 64),
  at bigint CHECK (at BETWEEN 0 AND 253402300799),
  over_at bigint CHECK (over_at BETWEEN 0 AND 253402300799),
  PRIMARY KEY (kind, name)
) WITH (fillfactor = 70);
CREATE INDEX rows_by_at ON {schema}.rows (kind, at) WHERE at IS NOT NULL;
CREATE INDEX rows_by_over_at ON {schema}.rows (kind, over_at) WHERE over_at IS NOT NULL;
CREATE INDEX rows_by_group ON {schema}.rows (kind, group_name, at DESC NULLS LAST)
  WHERE group_name <> '';
CREATE TABLE {schema}.store (version integer NOT NULL, beats bigint NOT NULL);
INSERT INTO {schema}.store (version, beats) VALUES ({version}, 0)
"""

# A lock is waited for no longer than a caller waits: after that the write would surprise it. A
# connection keeps its plans: those made while there were few rows must do when there are many.
# An absent row is asserted by adding and deleting it, so that no one adds it meanwhile.
WRITE: Final[LiteralString] = """
CREATE FUNCTION {schema}.write(
  the_kind text, the_name bytea, over bigint, new_rev bigint, new_body bytea, new_group bytea,
  new_at bigint, new_over_at bigint, durably boolean
) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '1500ms' SET enable_seqscan = off AS $write$
BEGIN
  IF NOT durably THEN
    PERFORM set_config('synchronous_commit', 'off', true);
  END IF;
  IF over = 0 THEN
    INSERT INTO {schema}.rows (kind, name, rev, body, group_name, at, over_at)
      VALUES (the_kind, the_name, greatest(new_rev, 1), new_body, new_group, new_at, new_over_at)
      ON CONFLICT DO NOTHING;
    IF FOUND AND new_rev = 0 THEN
      DELETE FROM {schema}.rows WHERE kind = the_kind AND name = the_name;
    END IF;
  ELSIF new_rev = 0 THEN
    DELETE FROM {schema}.rows WHERE kind = the_kind AND name = the_name AND rev = over;
  ELSIF new_rev = over THEN
    PERFORM FROM {schema}.rows WHERE kind = the_kind AND name = the_name AND rev = over FOR SHARE;
  ELSE
    UPDATE {schema}.rows SET rev = new_rev, body = new_body, group_name = new_group,
        at = new_at, over_at = new_over_at
      WHERE kind = the_kind AND name = the_name AND rev = over;
  END IF;
  RETURN FOUND;
END
$write$
"""

# The block with EXCEPTION is a savepoint: after a conflict nothing remains of what was written.
APPLY: Final[LiteralString] = """
CREATE FUNCTION {schema}.apply(
  kinds text[], names bytea[], overs bigint[], revs bigint[], bodies bytea[], groups bytea[],
  ats bigint[], over_ats bigint[], durably boolean
) RETURNS boolean LANGUAGE plpgsql AS $apply$
BEGIN
  FOR i IN 1 .. cardinality(names) LOOP
    IF NOT {schema}.write(kinds[i], names[i], overs[i], revs[i], bodies[i], groups[i], ats[i],
        over_ats[i], durably) THEN
      RAISE SQLSTATE 'WX001';
    END IF;
  END LOOP;
  RETURN true;
EXCEPTION WHEN SQLSTATE 'WX001' THEN
  RETURN false;
END
$apply$
"""

# One transaction in one message. Its lock ends with it, behind PgBouncer too.
CREATE: Final[LiteralString] = """
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = '20s';
SELECT pg_advisory_xact_lock(hashtextextended('webex-oauth {schema}', 0));
DO $create$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = '{schema}') THEN
    CREATE SCHEMA {schema};
  END IF;
  IF NOT EXISTS ({found}) THEN
    {missing};
  END IF;
END $create$;
COMMIT
"""

# The catalogue's rows, and not to_regclass: that may answer from before this process waited.
FOUND: Final[LiteralString] = """
SELECT relname::text FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace AS held_by
    ON held_by.oid = relnamespace
  WHERE nspname = '{schema}' AND relname IN ('store', 'schema_version')
"""
READ_VERSION: Final = "SELECT version FROM {schema}.store"
SETTINGS: Final = ("fsync", "full_page_writes", "synchronous_commit")


async def check_durability(connection: Connection) -> None:
    """Raise ConfigurationError if the server confirms what a loss of power takes back."""
    asked = ", ".join(f"current_setting('{name}')" for name in SETTINGS)
    [values] = await _rows(connection, f"SELECT {asked}")
    lax = [name for name, value in zip(SETTINGS, values, strict=True) if value == "off"]
    if lax:
        raise ConfigurationError(
            [
                f"{name} is off in PostgreSQL, so that a loss of power loses users' tokens: switch "
                "it on, or add durability=unchecked to WEBEX_STORE_URL"
                for name in lax
            ]
        )


async def prepare_schema(connection: Connection, schema: str) -> None:
    """Create the schema and what is in it, all of it or nothing.

    Of several processes that start together one does it, and the others wait. Raises
    ConfigurationError if the schema is another version's or program's, or if the user may not
    create what is missing. Afterwards the connection is of no use.
    """
    try:
        if not await _is_current(connection, schema):
            missing = f"{TABLES};{WRITE};{APPLY}"
            text = CREATE.replace("{found}", FOUND).replace("{missing}", missing)
            text = text.replace("{schema}", schema).replace("{version}", str(VERSION))
            await connection.execute(text.encode())
    except errors.InsufficientPrivilege as error:
        user = connection.info.user
        mistake = (
            f"{user} may not create the tables of the store, or not use them: have the database's "
            f"owner run CREATE SCHEMA {schema} AUTHORIZATION {user}"
        )
        raise ConfigurationError([mistake]) from error
    except (errors.DuplicateTable, errors.UndefinedColumn) as error:
        raise _refusal(schema, "holds another program's tables: choose another") from error


async def _is_current(connection: Connection, schema: str) -> bool:
    tables = {name for (name,) in await _rows(connection, FOUND.replace("{schema}", schema))}
    if not tables:
        return False
    found: list[TupleRow] = []
    if OLDER not in tables:
        found += await _rows(connection, READ_VERSION.replace("{schema}", schema))
    if found == [(VERSION,)]:
        return True
    if found > [(VERSION,)]:
        what = "was written by a newer webex-oauth: start that one, or choose another"
    else:
        what = (
            "holds the tables of an older webex-oauth, which this one cannot read: run DROP SCHEMA "
            f"{schema} CASCADE, after which everybody signs in again, or choose another"
        )
    raise _refusal(schema, what)


async def _rows(connection: Connection, statement: str) -> Sequence[TupleRow]:
    cursor = await connection.execute(statement.encode())
    return await cursor.fetchall()


def _refusal(schema: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        [f"schema {schema} of the database {what} with schema= in WEBEX_STORE_URL"]
    )
