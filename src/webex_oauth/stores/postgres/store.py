"""The PostgreSQL store: each step is one statement, or a short transaction."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final, TypeVar

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
from webex_oauth.stores.postgres.database import Database, Link, Work
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

T = TypeVar("T")


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
            raise StoreUnavailable("the database did not answer in time") from error
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
        """Prove that a write is possible just now."""
        await self._write(_beat)

    async def time(self) -> float:
        """Tell the server's time."""
        return await self._read(_time)

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        """Add an attempt; drop those whose time is over, and the oldest beyond *at_most*."""
        await self._write(partial(attempts.add_attempt, record=record, at_most=at_most, now=now))

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        """Take an attempt, once ever."""
        return await self._write(
            partial(
                attempts.take_attempt,
                state_digest=state_digest,
                browser_digest=browser_digest,
                now=now,
            )
        )

    async def abandon_attempt(self, state_digest: bytes) -> None:
        """Mark a taken attempt as finished without a session."""
        await self._write(partial(attempts.abandon_attempt, state_digest=state_digest))

    async def admit(self, admission: Admission) -> EndedSession | None:
        """Complete a sign-in."""
        work = partial(admit, admission=admission)
        if admission.replaced_session is None:
            return await self._write(work)
        return await self._transact(work)

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        """Find a grant."""
        return await self._read(partial(grants.find_grant, key=key))

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        """Take the right to refresh the row that was seen."""
        return await self._write(partial(grants.claim_grant, seen=seen, lease=lease, now=now))

    async def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        """Move the end of a lease forward."""
        return await self._write(partial(grants.renew_lease, key=key, version=version, lease=lease))

    async def release_grant(
        self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
    ) -> bool:
        """Give *owner*'s lease back and keep what the refresh left behind."""
        return await self._write(
            partial(grants.release_grant, key=key, version=version, owner=owner, trouble=trouble)
        )

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        """Write a grant over its *expected_version*."""
        await self._write(
            partial(grants.replace_grant, record=record, expected_version=expected_version)
        )

    async def due_grants(self, *, now: int, limit: int) -> Sequence[GrantRecord]:
        """Find grants whose `keep_at` has come, the longest due first."""
        return await self._read(partial(grants.due_grants, now=now, limit=limit))

    async def end_grant(self, key: bytes, *, now: int) -> RevocationRecord | None:
        """Delete a grant with all its sessions, and queue its tokens for revocation."""
        return await self._transact(partial(grants.end_grant, key=key, now=now))

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        """Find a session that was not ended."""
        return await self._read(partial(sessions.find_session, digest=digest))

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        """Move `seen_at` forward."""
        await self._write(partial(sessions.touch_session, digest=digest, seen_at=seen_at))

    async def replace_session(
        self, old_digest: bytes, new: SessionRecord, *, attempt_state_digest: bytes
    ) -> bool:
        """Put *new* in the place of a session."""
        return await self._write(
            partial(
                sessions.replace_session,
                old_digest=old_digest,
                new=new,
                state_digest=attempt_state_digest,
            )
        )

    async def sessions_of(self, grant_key: bytes, *, limit: int) -> Sequence[SessionRecord]:
        """Find the sessions of a grant, the latest seen first."""
        return await self._read(partial(sessions.sessions_of, grant_key=grant_key, limit=limit))

    async def over_sessions(
        self, *, now: int, idle_seconds: int, limit: int
    ) -> Sequence[SessionRecord]:
        """Find sessions that are past their end, or idle."""
        return await self._read(
            partial(sessions.over_sessions, now=now, idle_seconds=idle_seconds, limit=limit)
        )

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int, keeps_grants: bool
    ) -> EndedSession | None:
        """Delete a session, and its grant when no other live session has it."""
        if keeps_grants:
            return await self._write(partial(sessions.end_session_alone, digest=digest))
        return await self._transact(
            partial(sessions.end_session, digest=digest, now=now, idle_seconds=idle_seconds)
        )

    async def add_revocation(self, record: RevocationRecord) -> None:
        """Queue tokens for revocation."""
        await self._write(partial(revocations.add_revocation, record=record))

    async def take_revocations(
        self, *, now: int, until: int, limit: int
    ) -> Sequence[RevocationRecord]:
        """Take revocations that are due."""
        return await self._write(
            partial(revocations.take_revocations, now=now, until=until, limit=limit)
        )

    async def postpone_revocation(self, grant_key: bytes, version: int, due_at: int) -> None:
        """Move `due_at`."""
        await self._write(
            partial(
                revocations.postpone_revocation,
                grant_key=grant_key,
                version=version,
                due_at=due_at,
            )
        )

    async def drop_revocation(self, grant_key: bytes, version: int) -> None:
        """Remove a revocation."""
        await self._write(
            partial(revocations.drop_revocation, grant_key=grant_key, version=version)
        )

    async def scan(self, kind: type[Row], *, after: bytes, limit: int) -> Sequence[Row]:
        """List rows of one kind in the order of their names."""
        return await self._read(partial(rows.scan, kind=kind, after=after, limit=limit))

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        """Put *sealed* in the place of what *record* holds."""
        return await self._write(partial(rows.reseal, record=record, sealed=sealed))

    async def key_checks(self) -> dict[str, bytes]:
        """Give what is sealed under each key in use."""
        return await self._read(key_checks.key_checks)

    async def add_key_check(self, key_id: str, sealed: bytes) -> None:
        """Note that a key is in use."""
        await self._write(partial(key_checks.add_key_check, key_id=key_id, sealed=sealed))

    async def drop_key_check(self, key_id: str) -> None:
        """Note that a key is no longer in use."""
        await self._write(partial(key_checks.drop_key_check, key_id=key_id))

    async def shorten_waits(self, *, now: int, latest: int) -> None:
        """Move to *now* what waits for an instant after *latest*."""
        await self._write(partial(shorten_waits, now=now, latest=latest))

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        """Remove a batch of what is over."""
        return await self._write(partial(sweep, now=now, idle_seconds=idle_seconds))

    async def _read(self, work: Work[T]) -> T:
        return await self._opened().read(work)

    async def _write(self, work: Work[T]) -> T:
        return await self._opened().write(work)

    async def _transact(self, work: Work[T]) -> T:
        return await self._opened().transact(work)

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
