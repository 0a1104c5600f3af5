"""Values that another program writes into the columns of a row, beside the open database."""

import sqlite3
from contextlib import closing, suppress

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.postgres.rows import PostgresRows
from webex_oauth.stores.redis.rows import RedisRows
from webex_oauth.stores.sqlite.rows import SqliteRows
from webex_oauth.vault.rows import Row, Rows

SQLITE_COLUMNS = {"group": '"group"'}
POSTGRES_COLUMNS = {"group": "group_name"}
UNCHECK_POSTGRES = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT conname FROM pg_constraint
      WHERE conrelid = '{schema}.rows'::regclass AND contype = 'c' LOOP
    EXECUTE 'ALTER TABLE {schema}.rows DROP CONSTRAINT ' || quote_ident(name);
  END LOOP;
END $$
"""
REDIS_FIELDS = {"over_at": "over"}


async def spoil(rows: Rows, row: Row, column: str, value: object) -> None:
    """Put *value* into a column of *row*, if the database lets anyone do that."""
    if isinstance(rows, SqliteRows):
        _spoil_sqlite(rows, row, SQLITE_COLUMNS.get(column, column), value)
    elif isinstance(rows, PostgresRows):
        await _spoil_postgres(rows, row, POSTGRES_COLUMNS.get(column, column), value)
    elif isinstance(rows, RedisRows):
        await _spoil_redis(rows, row, REDIS_FIELDS.get(column, column), value)


def _spoil_sqlite(rows: SqliteRows, row: Row, column: str, value: object) -> None:
    statement = f"UPDATE rows SET {column} = ? WHERE kind = ? AND name = ?"  # noqa: S608 - ours
    with closing(sqlite3.connect(rows._path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        with suppress(sqlite3.Error):
            connection.execute(statement, (value, row.kind.value, row.name))


async def _spoil_postgres(rows: PostgresRows, row: Row, column: str, value: object) -> None:
    with suppress(StoreUnavailable):  # it returns no rows
        await rows._write(UNCHECK_POSTGRES)
    statement = (
        f"UPDATE {{schema}}.rows SET {column} = %b WHERE kind = %b AND name = %b RETURNING 1"  # noqa: S608 - ours
    )
    with suppress(StoreUnavailable):
        await rows._write(statement, value, row.kind.value, row.name)


async def _spoil_redis(rows: RedisRows, row: Row, field: str, value: object) -> None:
    key = rows._key(f"{row.kind}:") + row.name
    if value is None:
        await rows._server.call(("HDEL", key, field))
    elif isinstance(value, str | bytes | int):
        await rows._server.call(("HSET", key, field, value))
