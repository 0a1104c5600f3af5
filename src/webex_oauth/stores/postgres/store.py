"""The PostgreSQL store: each step is one statement, or a short transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Concatenate, Final, ParamSpec, TypeAlias, TypeVar

import psycopg

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.belonging import BelongingStore
from webex_oauth.stores.postgres import (
    attempts,
    grants,
    key_checks,
    revocations,
    rows,
    sessions,
)
from webex_oauth.stores.postgres.admission import admit
from webex_oauth.stores.postgres.connection import connect
from webex_oauth.stores.postgres.database import Database, Link
from webex_oauth.stores.postgres.durability import check_durability
from webex_oauth.stores.postgres.faults import read_opening_fault
from webex_oauth.stores.postgres.schema import prepare_schema
from webex_oauth.stores.postgres.sweeping import shorten_waits, sweep
from webex_oauth.stores.postgres.url import read_postgres_url
from webex_oauth.vault.records import (
    AttemptRecord,
    EndedSession,
    FinishedAttempt,
    GrantRecord,
    Lease,
    RefreshTrouble,
    RevocationRecord,
    SealedRecord,
    SessionRecord,
)
from webex_oauth.vault.store import Admission, Row

OPEN_SECONDS: Final = 30.0
TIME: Final = "SELECT extract(epoch FROM clock_timestamp())::float8"
BEAT: Final = "UPDATE {schema}.pulse SET beats = beats + 1"

P = ParamSpec("P")
T = TypeVar("T")
Step: TypeAlias = Callable[Concatenate[Link, P], Awaitable[T]]


class PostgresStore(BelongingStore):
    """Keep everything in one schema of a PostgreSQL database, for many processes and machines.

    What is answered is on the server's disk, and on that of its synchronous standbys: the server
    is asked at the start whether it keeps this promise. StoreUnavailable means that nothing
    happened, or that nobody knows: an answer may be lost after the work was done.

    PgBouncer may stand in between, in transaction mode: nothing is kept in a connection.
    """

    def __init__(self, url: str) -> None:
        self._url = read_postgres_url(url)
        self._database: Database | None = None

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

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        await self._write(attempts.add_attempt, record, at_most, now)

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        return await self._write(attempts.take_attempt, state_digest, browser_digest, now)

    async def abandon_attempt(self, state_digest: bytes) -> None:
        await self._write(attempts.abandon_attempt, state_digest)

    async def admit(self, admission: Admission) -> EndedSession | None:
        run = self._write if admission.replaced_session is None else self._transact
        return await run(admit, admission)

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        return await self._read(grants.find_grant, key)

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        return await self._write(grants.claim_grant, seen, lease, now)

    async def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        return await self._write(grants.renew_lease, key, version, lease)

    async def release_grant(
        self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
    ) -> bool:
        return await self._write(grants.release_grant, key, version, owner, trouble)

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        await self._write(grants.replace_grant, record, expected_version)

    async def due_grants(self, *, now: int, limit: int) -> Sequence[GrantRecord]:
        return await self._read(grants.due_grants, now, limit)

    async def end_grant(self, key: bytes, *, now: int) -> RevocationRecord | None:
        return await self._transact(grants.end_grant, key, now)

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        return await self._read(sessions.find_session, digest)

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        await self._write(sessions.touch_session, digest, seen_at)

    async def replace_session(
        self, old_digest: bytes, new: SessionRecord, *, attempt_state_digest: bytes
    ) -> bool:
        return await self._write(sessions.replace_session, old_digest, new, attempt_state_digest)

    async def sessions_of(self, grant_key: bytes, *, limit: int) -> Sequence[SessionRecord]:
        return await self._read(sessions.sessions_of, grant_key, limit)

    async def over_sessions(
        self, *, now: int, idle_seconds: int, limit: int
    ) -> Sequence[SessionRecord]:
        return await self._read(sessions.over_sessions, now, idle_seconds, limit)

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int, keeps_grants: bool
    ) -> EndedSession | None:
        if keeps_grants:
            return await self._write(sessions.end_session_alone, digest)
        return await self._transact(sessions.end_session, digest, now, idle_seconds)

    async def add_revocation(self, record: RevocationRecord) -> None:
        await self._write(revocations.add_revocation, record)

    async def take_revocations(
        self, *, now: int, until: int, limit: int
    ) -> Sequence[RevocationRecord]:
        return await self._write(revocations.take_revocations, now, until, limit)

    async def postpone_revocation(self, grant_key: bytes, version: int, due_at: int) -> None:
        await self._write(revocations.postpone_revocation, grant_key, version, due_at)

    async def drop_revocation(self, grant_key: bytes, version: int) -> None:
        await self._write(revocations.drop_revocation, grant_key, version)

    async def scan(self, kind: type[Row], *, after: bytes, limit: int) -> Sequence[Row]:
        return await self._read(rows.scan, kind, after, limit)

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        return await self._write(rows.reseal, record, sealed)

    async def key_checks(self) -> dict[str, bytes]:
        return await self._read(key_checks.key_checks)

    async def add_key_check(self, key_id: str, sealed: bytes) -> None:
        await self._write(key_checks.add_key_check, key_id, sealed)

    async def drop_key_check(self, key_id: str) -> None:
        await self._write(key_checks.drop_key_check, key_id)

    async def shorten_waits(self, *, now: int, latest: int) -> None:
        await self._write(shorten_waits, now, latest)

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        return await self._write(sweep, now, idle_seconds)

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


async def _beat(link: Link) -> None:
    await link.run(BEAT)


async def _time(link: Link) -> float:
    row = await link.row(TIME)
    if row is None:
        raise StoreUnavailable("the database does not tell its time")
    return float(row[0])
