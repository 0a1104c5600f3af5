"""The PostgreSQL store: each step is one statement, or a short transaction."""

import asyncio
from typing import Final

import psycopg

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.postgres import grants, sessions
from webex_oauth.stores.postgres.admission import admit
from webex_oauth.stores.postgres.attempts import Attempts
from webex_oauth.stores.postgres.connection import connect
from webex_oauth.stores.postgres.database import Database, Link
from webex_oauth.stores.postgres.durability import check_durability
from webex_oauth.stores.postgres.faults import read_opening_fault
from webex_oauth.stores.postgres.grants import Grants
from webex_oauth.stores.postgres.key_checks import KeyChecks
from webex_oauth.stores.postgres.revocations import Revocations
from webex_oauth.stores.postgres.rows import Rows
from webex_oauth.stores.postgres.schema import prepare_schema
from webex_oauth.stores.postgres.sessions import Sessions
from webex_oauth.stores.postgres.sweeping import shorten_waits, sweep
from webex_oauth.stores.postgres.url import read_postgres_url
from webex_oauth.vault.records import (
    EndedSession,
    RevocationRecord,
)
from webex_oauth.vault.store import Admission

OPEN_SECONDS: Final = 30.0
TIME: Final = "SELECT extract(epoch FROM clock_timestamp())::float8"
BEAT: Final = "UPDATE {schema}.pulse SET beats = beats + 1"


class PostgresStore(Attempts, Sessions, Grants, Revocations, Rows, KeyChecks):
    """Keep everything in one schema of a PostgreSQL database, for many processes and machines.

    What is answered is on the server's disk, and on that of its synchronous standbys: the server
    is asked at the start whether it keeps this promise. StoreUnavailable means that nothing
    happened, or that nobody knows: an answer may be lost after the work was done.

    PgBouncer may stand in between, in transaction mode: nothing is kept in a connection.
    """

    def __init__(self, url: str) -> None:
        self._url = read_postgres_url(url)

    async def open(self) -> None:
        """Make or check the schema; raise ConfigurationError when an operator has to act."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._prepare()
        except TimeoutError as error:
            raise StoreUnavailable(
                f"the database at {self._url.place} did not answer in time"
            ) from error
        except psycopg.Error as error:
            raise read_opening_fault(error) from error
        self._database = Database(self._url)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._database is not None:
            await self._database.close()
            self._database = None

    async def _prepare(self) -> None:
        connection = await connect(self._url.conninfo)
        try:
            link = Link(connection, self._url.schema)
            if self._url.checks_durability:
                await check_durability(link)
            await prepare_schema(link, self._url.schema)
        finally:
            connection.discard()

    async def check(self) -> None:
        await self._write(_beat)

    async def time(self) -> float:
        return await self._read(_time)

    async def admit(self, admission: Admission) -> EndedSession | None:
        run = self._write if admission.replaced_session is None else self._transact
        return await run(admit, admission)

    async def end_grant(self, key: bytes, *, now: int) -> RevocationRecord | None:
        return await self._transact(grants.end_grant, key, now)

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int, keeps_grants: bool
    ) -> EndedSession | None:
        if keeps_grants:
            return await self._write(sessions.end_session_alone, digest)
        return await self._transact(sessions.end_session, digest, now, idle_seconds)

    async def shorten_waits(self, *, now: int, latest: int) -> None:
        await self._write(shorten_waits, now, latest)

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        return await self._write(sweep, now, idle_seconds)


async def _beat(link: Link) -> None:
    await link.run(BEAT)


async def _time(link: Link) -> float:
    row = await link.row(TIME)
    if row is None:
        raise StoreUnavailable("the database does not tell its time")
    return float(row[0])
