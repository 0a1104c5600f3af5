"""The SQLite store: reads and small writes on the event loop, the rest in one thread."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from webex_oauth.stores.belonging import BelongingStore
from webex_oauth.stores.sqlite import (
    attempts,
    grants,
    key_checks,
    resealing,
    revocations,
    sessions,
)
from webex_oauth.stores.sqlite.admission import admit
from webex_oauth.stores.sqlite.connection import check_sqlite_version
from webex_oauth.stores.sqlite.files import prepare_files
from webex_oauth.stores.sqlite.quick_writer import QuickWriter
from webex_oauth.stores.sqlite.reader import Reader
from webex_oauth.stores.sqlite.schema import prepare_schema
from webex_oauth.stores.sqlite.sweeping import shorten_waits, sweep
from webex_oauth.stores.sqlite.transaction import step
from webex_oauth.stores.sqlite.writer import Writer
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


class SqliteStore(BelongingStore):
    """Keep everything in one file, shared by the processes of one machine.

    What must not be undone is on the disk before it is answered: a claimed or refreshed grant, a
    sign-out, tokens to revoke, a key that is in use or no longer. Everything else survives the end
    of the process at once, and a loss of power a twentieth of a second later.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = Writer(path)
        self._quick_writer = QuickWriter(path, self._writer)
        self._reader = Reader(path, self._writer)

    async def open(self) -> None:
        """Make or check the file and its tables.

        A file of an earlier version is brought up to date first, however long that takes.
        """
        check_sqlite_version()
        await asyncio.to_thread(prepare_files, self._path)
        await asyncio.to_thread(prepare_schema, self._path)
        self._writer.start()

    async def close(self) -> None:
        """Finish what was begun and let go of the file."""
        self._reader.close()
        self._quick_writer.close()
        await self._writer.stop()

    async def check(self) -> None:
        await self._writer.write_durably(_beat)

    async def time(self) -> float:
        """Tell this machine's time, for only its processes share the file."""
        return time.time()

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        await self._quick_writer.write(step(attempts.add_attempt, record, at_most, now))

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        return await self._quick_writer.write(
            step(attempts.take_attempt, state_digest, browser_digest, now)
        )

    async def abandon_attempt(self, state_digest: bytes) -> None:
        await self._quick_writer.write(step(attempts.finish_attempt, state_digest, None))

    async def admit(self, admission: Admission) -> EndedSession | None:
        return await self._quick_writer.write(step(admit, admission))

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        return await self._reader.read(step(grants.find_grant, key))

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        return await self._writer.write_durably(step(grants.claim_grant, seen, lease, now))

    async def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        return await self._quick_writer.write(step(grants.renew_lease, key, version, lease))

    async def release_grant(
        self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
    ) -> bool:
        return await self._quick_writer.write(
            step(grants.release_grant, key, version, owner, trouble)
        )

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        await self._writer.write_durably(step(grants.replace_grant, record, expected_version))

    async def due_grants(self, *, now: int, limit: int) -> Sequence[GrantRecord]:
        return await self._writer.run(step(grants.due_grants, now, limit))

    async def end_grant(self, key: bytes, *, now: int) -> RevocationRecord | None:
        return await self._writer.write_durably(step(sessions.end_grant, key, now))

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        return await self._reader.read(step(sessions.find_session, digest))

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        await self._quick_writer.write(step(sessions.touch_session, digest, seen_at))

    async def replace_session(
        self, old_digest: bytes, new: SessionRecord, *, attempt_state_digest: bytes
    ) -> bool:
        return await self._quick_writer.write(
            step(sessions.replace_session, old_digest, new, attempt_state_digest)
        )

    async def sessions_of(self, grant_key: bytes, *, limit: int) -> Sequence[SessionRecord]:
        return await self._reader.read(step(sessions.sessions_of, grant_key, limit))

    async def over_sessions(
        self, *, now: int, idle_seconds: int, limit: int
    ) -> Sequence[SessionRecord]:
        return await self._writer.run(step(sessions.over_sessions, now, idle_seconds, limit))

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int, keeps_grants: bool
    ) -> EndedSession | None:
        return await self._writer.write_durably(
            step(
                sessions.end_session,
                digest,
                now=now,
                idle_seconds=idle_seconds,
                keeps_grants=keeps_grants,
            )
        )

    async def add_revocation(self, record: RevocationRecord) -> None:
        await self._writer.write_durably(step(revocations.add_revocation, record))

    async def take_revocations(
        self, *, now: int, until: int, limit: int
    ) -> Sequence[RevocationRecord]:
        return await self._writer.write(step(revocations.take_revocations, now, until, limit))

    async def postpone_revocation(self, grant_key: bytes, version: int, due_at: int) -> None:
        await self._quick_writer.write(
            step(revocations.postpone_revocation, grant_key, version, due_at)
        )

    async def drop_revocation(self, grant_key: bytes, version: int) -> None:
        await self._quick_writer.write(step(revocations.drop_revocation, grant_key, version))

    async def scan(self, kind: type[Row], *, after: bytes, limit: int) -> Sequence[Row]:
        return await self._writer.run(step(resealing.scan, kind, after, limit))

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        return await self._quick_writer.write(step(resealing.reseal, record, sealed))

    async def key_checks(self) -> dict[str, bytes]:
        return await self._reader.read(key_checks.key_checks)

    async def add_key_check(self, key_id: str, sealed: bytes) -> None:
        await self._writer.write_durably(step(key_checks.add_key_check, key_id, sealed))

    async def drop_key_check(self, key_id: str) -> None:
        """Note that a key is no longer in use; what was resealed before is on the disk too."""
        await self._writer.write_durably(step(key_checks.drop_key_check, key_id))

    async def shorten_waits(self, *, now: int, latest: int) -> None:
        await self._writer.write(step(shorten_waits, now, latest))

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        return await self._writer.write(step(sweep, now, idle_seconds))


def _beat(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE pulse SET beats = beats + 1")
