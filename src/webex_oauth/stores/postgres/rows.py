"""Rows in one table of a PostgreSQL database; every method is one statement."""

import asyncio
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, LiteralString

import psycopg
from psycopg import errors
from psycopg.rows import TupleRow

from webex_oauth.errors import ConfigurationError, StoreUnavailable, WebexOAuthError
from webex_oauth.stores.postgres.pool import Pool, connect
from webex_oauth.stores.postgres.schema import check_durability, prepare_schema
from webex_oauth.stores.postgres.url import read_postgres_url
from webex_oauth.stores.store import Store, in_time, row_of, rows_of
from webex_oauth.vault.rows import Change, Kind, Row

OPEN_SECONDS: Final = 30.0

# After these surely nothing has happened, and the same statement may succeed if tried again.
UNDONE: Final = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.ReadOnlySqlTransaction,
)
CUT_OFF: Final = (errors.AdminShutdown, errors.CrashShutdown)

COLUMNS: Final = "name, rev, body, group_name, at, over_at FROM {schema}.rows WHERE "
FIND: Final = "SELECT kind, " + COLUMNS + "(kind, name) IN ({keys})"
LIST: Final = "SELECT " + COLUMNS + "kind = %b AND "
BY_NAME: Final = LIST + "name > %b ORDER BY name LIMIT %b"
DUE: Final = LIST + "at <= %b ORDER BY at LIMIT %b"
OVER: Final = LIST + "over_at <= %b ORDER BY over_at LIMIT %b"
OF_GROUP: Final = LIST + "group_name = %b AND group_name <> '' ORDER BY at DESC NULLS LAST LIMIT %b"
WRITE: Final = "SELECT {schema}.write(%b, %b, %b, %b, %b, %b, %b, %b, %b)"
APPLY: Final[LiteralString] = """
SELECT {schema}.apply(%b::text[], %b::bytea[], %b::bigint[], %b::bigint[], %b::bytea[],
  %b::bytea[], %b::bigint[], %b::bigint[], %b)
"""
BEAT: Final = "UPDATE {schema}.store SET beats = beats + 1 RETURNING version"
TIME: Final = "SELECT extract(epoch FROM clock_timestamp())::float8"


class PostgresRows(Store):
    """Rows in one schema of a PostgreSQL database, for many processes and machines.

    What is written durably is on the server's disk, and on that of its synchronous standbys: the
    server is asked at the start whether it keeps this promise. StoreUnavailable means that nothing
    happened, or that it is unknown: an answer may be lost after the work was done.

    PgBouncer may stand in between, in transaction mode: nothing is kept in a connection.
    """

    def __init__(self, url: str) -> None:
        self._url = read_postgres_url(url)
        self._pool = Pool(self._url.conninfo, self._url.pool_size)

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._prepare()
        except TimeoutError as error:
            raise StoreUnavailable(
                f"the database at {self._url.place} did not answer in time"
            ) from error
        except psycopg.Error as error:
            raise _opening_fault(error) from error
        self._pool.is_open = True

    async def _close(self) -> None:
        await self._pool.close()

    async def check(self) -> None:
        await self._write(BEAT)

    async def time(self) -> float:
        [(seconds,)] = await self._read(TIME)
        return float(seconds)

    async def read(self, *rows: Row) -> Sequence[Row]:
        if not rows:
            return []
        keys = [key for row in rows for key in (row.kind.value, row.name)]
        statement = FIND.replace("{keys}", ", ".join(["(%b, %b)"] * len(rows)))
        found = {
            (kind, columns[0]): row_of(Kind(kind), columns)
            for kind, *columns in await self._read(statement, *keys)
        }
        return [found.get((row.kind, row.name), Row(row.kind, row.name)) for row in rows]

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:
        if not changes:
            return True
        if len(changes) == 1:
            [(is_applied,)] = await self._write(WRITE, *_values(changes[0]), durably)
        else:
            # Every caller locks rows in the same order, so that there are no deadlocks.
            ordered = sorted(changes, key=attrgetter("row.kind", "row.name"))
            columns = map(list, zip(*map(_values, ordered), strict=True))
            [(is_applied,)] = await self._write(APPLY, *columns, durably)
        return bool(is_applied)

    async def by_name(self, kind: Kind, after: bytes, limit: int) -> Sequence[Row]:
        return rows_of(kind, await self._read(BY_NAME, kind.value, after, limit))

    async def due(self, kind: Kind, instant: int, limit: int) -> Sequence[Row]:
        return rows_of(kind, await self._read(DUE, kind.value, instant, limit))

    async def over(self, kind: Kind, instant: int, limit: int) -> Sequence[Row]:
        return rows_of(kind, await self._read(OVER, kind.value, instant, limit))

    async def of_group(self, kind: Kind, group: bytes, limit: int) -> Sequence[Row]:
        return rows_of(kind, await self._read(OF_GROUP, kind.value, group, limit))

    async def _prepare(self) -> None:
        connection = await connect(self._url.conninfo)
        try:
            if self._url.checks_durability:
                await check_durability(connection)
            await prepare_schema(connection, self._url.schema)
        finally:
            connection.discard()

    async def _read(self, statement: str, *values: object) -> Sequence[TupleRow]:
        return await self._run(statement, values, _is_lost)

    async def _write(self, statement: str, *values: object) -> Sequence[TupleRow]:
        return await self._run(statement, values, _is_undone)

    async def _run(
        self,
        statement: str,
        values: Sequence[object],
        may_try_again: Callable[[psycopg.Error], bool],
    ) -> Sequence[TupleRow]:
        """Run one statement, which is a transaction by itself, and once more after some errors."""
        try:
            async with in_time():
                try:
                    return await self._run_once(statement, values)
                except psycopg.Error as error:
                    if not may_try_again(error):
                        raise
                return await self._run_once(statement, values)
        except psycopg.Error as error:
            raise StoreUnavailable(f"the database failed with {_name_of(error)}") from error

    async def _run_once(self, statement: str, values: Sequence[object]) -> Sequence[TupleRow]:
        text = statement.replace("{schema}", self._url.schema).encode()
        async with self._pool.connection() as connection:
            try:
                cursor = await connection.execute(text, values, binary=True)
                return await cursor.fetchall()
            except errors.ReadOnlySqlTransaction:
                # Connections made anew may lead to the new primary.
                connection.discard()
                self._pool.discard_idle()
                raise


def _values(change: Change) -> tuple[Any, ...]:
    row = change.row
    return (
        *(row.kind.value, row.name, change.over, row.rev, row.body, row.group),
        *(row.at, row.over_at),
    )


def _is_undone(error: psycopg.Error) -> bool:
    return isinstance(error, UNDONE)


def _is_lost(error: psycopg.Error) -> bool:
    """Return whether the connection ended: a statement that only reads may be run again."""
    if isinstance(error, CUT_OFF):
        return True
    return isinstance(error, psycopg.OperationalError) and error.sqlstate is None


def _opening_fault(error: psycopg.Error) -> WebexOAuthError:
    """Return the error for one that came before the store was open.

    libpq has no SQLSTATE for a connection that was not made. If it has used a password, assume
    that the user, the password or the database was refused.
    """
    reason = (str(error).splitlines() or [_name_of(error)])[0]
    if error.sqlstate is None and error.pgconn is not None and error.pgconn.used_password:
        mistake = (
            f"the database refuses the user, password or database of WEBEX_STORE_URL: {reason}"
        )
        return ConfigurationError([mistake])
    return StoreUnavailable(f"the database cannot be used: {reason}")


def _name_of(error: psycopg.Error) -> str:
    name = type(error).__name__
    return name if error.sqlstate is None else f"{name} ({error.sqlstate})"
