"""The SQLite store: reads and small writes on the event loop, the rest in one thread."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from webex_oauth.stores.belonging import BelongingStore
from webex_oauth.stores.sqlite import (
    attempts,
    grants,
    key_checks,
    leases,
    resealing,
    revocations,
    sessions,
)
from webex_oauth.stores.sqlite.admission import admit
from webex_oauth.stores.sqlite.connection import check_sqlite_version
from webex_oauth.stores.sqlite.files import prepare_files
from webex_oauth.stores.sqlite.pulse import beat
from webex_oauth.stores.sqlite.quick_writer import QuickWriter
from webex_oauth.stores.sqlite.reader import Reader
from webex_oauth.stores.sqlite.schema import prepare_schema
from webex_oauth.stores.sqlite.sweeping import shorten_waits, sweep
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
        """Prove that a write is possible just now."""
        await self._writer.write_durably(beat)

    async def time(self) -> float:
        """Tell this machine's time, for only its processes share the file."""
        return time.time()

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        """Add an attempt; drop those whose time is over, and the oldest beyond *at_most*."""
        await self._quick_writer.write(
            partial(attempts.add_attempt, record=record, at_most=at_most, now=now)
        )

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        """Take an attempt, once ever."""
        return await self._quick_writer.write(
            partial(
                attempts.take_attempt,
                state_digest=state_digest,
                browser_digest=browser_digest,
                now=now,
            )
        )

    async def abandon_attempt(self, state_digest: bytes) -> None:
        """Mark a taken attempt as finished without a session."""
        await self._quick_writer.write(
            partial(attempts.finish_attempt, state_digest=state_digest, session_digest=None)
        )

    async def admit(self, admission: Admission) -> EndedSession | None:
        """Complete a sign-in."""
        return await self._quick_writer.write(partial(admit, admission=admission))

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        """Find a grant."""
        return await self._reader.read(partial(grants.find_grant, key=key))

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        """Take the right to refresh the row that was seen."""
        return await self._writer.write_durably(
            partial(leases.claim_grant, seen=seen, lease=lease, now=now)
        )

    async def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        """Move the end of a lease forward."""
        return await self._quick_writer.write(
            partial(leases.renew_lease, key=key, version=version, lease=lease)
        )

    async def release_grant(
        self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
    ) -> bool:
        """Give *owner*'s lease back and keep what the refresh left behind."""
        return await self._quick_writer.write(
            partial(leases.release_grant, key=key, version=version, owner=owner, trouble=trouble)
        )

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        """Write a grant over its *expected_version*."""
        await self._writer.write_durably(
            partial(grants.replace_grant, record=record, expected_version=expected_version)
        )

    async def due_grants(self, *, now: int, limit: int) -> Sequence[GrantRecord]:
        """Find grants whose `keep_at` has come, the longest due first."""
        return await self._writer.run(partial(grants.due_grants, now=now, limit=limit))

    async def end_grant(self, key: bytes, *, now: int) -> RevocationRecord | None:
        """Delete a grant with all its sessions, and queue its tokens for revocation."""
        return await self._writer.write_durably(partial(sessions.end_grant, grant_key=key, now=now))

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        """Find a session that was not ended."""
        return await self._reader.read(partial(sessions.find_session, digest=digest))

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        """Move `seen_at` forward."""
        await self._quick_writer.write(
            partial(sessions.touch_session, digest=digest, seen_at=seen_at)
        )

    async def replace_session(
        self, old_digest: bytes, new: SessionRecord, *, attempt_state_digest: bytes
    ) -> bool:
        """Put *new* in the place of a session."""
        return await self._quick_writer.write(
            partial(
                sessions.replace_session,
                old_digest=old_digest,
                new=new,
                attempt_state_digest=attempt_state_digest,
            )
        )

    async def sessions_of(self, grant_key: bytes, *, limit: int) -> Sequence[SessionRecord]:
        """Find the sessions of a grant, the latest seen first."""
        return await self._reader.read(
            partial(sessions.sessions_of, grant_key=grant_key, limit=limit)
        )

    async def over_sessions(
        self, *, now: int, idle_seconds: int, limit: int
    ) -> Sequence[SessionRecord]:
        """Find sessions that are past their end, or idle."""
        return await self._writer.run(
            partial(sessions.over_sessions, now=now, idle_seconds=idle_seconds, limit=limit)
        )

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int, keeps_grants: bool
    ) -> EndedSession | None:
        """Delete a session, and its grant when no other live session has it."""
        return await self._writer.write_durably(
            partial(
                sessions.end_session,
                digest=digest,
                now=now,
                idle_seconds=idle_seconds,
                keeps_grants=keeps_grants,
            )
        )

    async def add_revocation(self, record: RevocationRecord) -> None:
        """Queue tokens for revocation."""
        await self._writer.write_durably(partial(revocations.add_revocation, record=record))

    async def take_revocations(
        self, *, now: int, until: int, limit: int
    ) -> Sequence[RevocationRecord]:
        """Take revocations that are due."""
        return await self._writer.write(
            partial(revocations.take_revocations, now=now, until=until, limit=limit)
        )

    async def postpone_revocation(self, grant_key: bytes, version: int, due_at: int) -> None:
        """Move `due_at`."""
        await self._quick_writer.write(
            partial(
                revocations.postpone_revocation,
                grant_key=grant_key,
                version=version,
                due_at=due_at,
            )
        )

    async def drop_revocation(self, grant_key: bytes, version: int) -> None:
        """Remove a revocation."""
        await self._quick_writer.write(
            partial(revocations.drop_revocation, grant_key=grant_key, version=version)
        )

    async def scan(self, kind: type[Row], *, after: bytes, limit: int) -> Sequence[Row]:
        """List rows of one kind in the order of their names."""
        return await self._writer.run(partial(resealing.scan, kind=kind, after=after, limit=limit))

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        """Put *sealed* in the place of what *record* holds."""
        return await self._quick_writer.write(
            partial(resealing.reseal, record=record, sealed=sealed)
        )

    async def key_checks(self) -> dict[str, bytes]:
        """Give what is sealed under each key in use."""
        return await self._reader.read(key_checks.key_checks)

    async def add_key_check(self, key_id: str, sealed: bytes) -> None:
        """Note that a key is in use."""
        await self._writer.write_durably(
            partial(key_checks.add_key_check, key_id=key_id, sealed=sealed)
        )

    async def drop_key_check(self, key_id: str) -> None:
        """Note that a key is no longer in use; what was resealed before is on the disk too."""
        await self._writer.write_durably(partial(key_checks.drop_key_check, key_id=key_id))

    async def shorten_waits(self, *, now: int, latest: int) -> None:
        """Move to *now* what waits for an instant after *latest*."""
        await self._writer.write(partial(shorten_waits, now=now, latest=latest))

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        """Remove a batch of what is over."""
        return await self._writer.write(partial(sweep, now=now, idle_seconds=idle_seconds))
