"""The database: work on it, whole or not at all, and over within a bound."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Concatenate, LiteralString, ParamSpec, TypeAlias, TypeVar

import psycopg
from psycopg.rows import TupleRow

from webex_oauth.errors import StoreUnavailable, WebexOAuthError
from webex_oauth.stores.belonging import BelongingStore
from webex_oauth.stores.postgres.connection import Connection
from webex_oauth.stores.postgres.faults import (
    breaks_connections,
    is_lost,
    is_undone,
    read_fault,
)
from webex_oauth.stores.postgres.pool import Pool
from webex_oauth.stores.postgres.url import PostgresUrl

BOUND_SECONDS = 1.9

# Whatever the role's defaults are: each statement sees what was committed before it, locks are
# waited for no longer than the caller waits, and a process that is stopped lets go of them.
BEGIN = """
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL synchronous_commit = on;
SET LOCAL lock_timeout = '1500ms';
SET LOCAL idle_in_transaction_session_timeout = '3s'
"""

T = TypeVar("T")
Parameters: TypeAlias = Mapping[str, object]


class Link:
    """A connection on loan; in its statements `{schema}` stands for the schema of the tables."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self.connection = connection
        self._schema = schema

    async def row(
        self, statement: LiteralString, parameters: Parameters | None = None
    ) -> TupleRow | None:
        """Run a statement and give its first row."""
        cursor = await self.connection.execute(self._text(statement), parameters, binary=True)
        return await cursor.fetchone()

    async def rows(
        self, statement: LiteralString, parameters: Parameters | None = None
    ) -> list[TupleRow]:
        """Run a statement and give its rows."""
        cursor = await self.connection.execute(self._text(statement), parameters, binary=True)
        return await cursor.fetchall()

    async def run(self, statement: LiteralString, parameters: Parameters | None = None) -> int:
        """Run a statement and say how many rows it changed."""
        cursor = await self.connection.execute(self._text(statement), parameters)
        return cursor.rowcount

    def _text(self, statement: LiteralString) -> bytes:
        return statement.replace("{schema}", self._schema).encode()


Work: TypeAlias = Callable[[Link], Awaitable[T]]


class Database:
    """Do work on connections of a pool.

    Every method raises StoreUnavailable when the work is not over within BOUND_SECONDS, and for
    each of psycopg's errors what it means.
    """

    def __init__(self, url: PostgresUrl) -> None:
        self._schema = url.schema
        self._pool = Pool(url.conninfo, url.pool_size)

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def read(self, work: Work[T]) -> T:
        """Do work that changes nothing, again when the connection was lost."""
        return await self._bound(self._read, work)

    async def write(self, work: Work[T]) -> T:
        """Do work that is one statement, and a transaction by itself."""
        return await self._bound(self._write, work)

    async def transact(self, work: Work[T]) -> T:
        """Do work in one transaction; nothing happened when it raises."""

        async def transaction(link: Link) -> T:
            return await transact(link, work)

        return await self._bound(self._write, transaction)

    async def _bound(self, run: Callable[[Work[T]], Awaitable[T]], work: Work[T]) -> T:
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                return await run(work)
        except TimeoutError as error:
            raise StoreUnavailable("the database did not answer in time") from error
        except psycopg.Error as error:
            raise read_fault(error) from error

    async def _read(self, work: Work[T]) -> T:
        try:
            return await self._do(work)
        except psycopg.Error as error:
            if not is_lost(error):
                raise
        return await self._do(work)

    async def _write(self, work: Work[T]) -> T:
        try:
            return await self._do(work)
        except psycopg.Error as error:
            if not is_undone(error):
                raise
        return await self._do(work)

    async def _do(self, work: Work[T]) -> T:
        async with self._pool.connection() as connection:
            try:
                return await work(Link(connection, self._schema))
            except psycopg.Error as error:
                if breaks_connections(error):
                    connection.discard()
                    self._pool.discard_idle()
                raise


P = ParamSpec("P")
Step: TypeAlias = Callable[Concatenate[Link, P], Awaitable[T]]


class PostgresPart(BelongingStore):
    """Base class of the parts that a store is made of, one for each kind of row."""

    _database: Database | None = None

    async def _read(self, step: Step[P, T], *args: P.args, **options: P.kwargs) -> T:
        return await self._opened().read(lambda link: step(link, *args, **options))

    async def _write(self, step: Step[P, T], *args: P.args, **options: P.kwargs) -> T:
        return await self._opened().write(lambda link: step(link, *args, **options))

    async def _transact(self, step: Step[P, T], *args: P.args, **options: P.kwargs) -> T:
        return await self._opened().transact(lambda link: step(link, *args, **options))

    def _opened(self) -> Database:
        if self._database is None:
            raise StoreUnavailable("the store is not open")
        return self._database


async def transact(link: Link, work: Work[T]) -> T:
    """Do work between BEGIN and COMMIT; undo it when it raises."""
    await link.run(BEGIN)
    try:
        outcome = await work(link)
    except (psycopg.Error, WebexOAuthError):
        if not link.connection.closed:
            await link.run("ROLLBACK")
        raise
    await link.run("COMMIT")
    return outcome
