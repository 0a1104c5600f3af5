"""The SQLite store: reads and small writes on the event loop, the rest in one thread."""

import asyncio
from functools import partial
from pathlib import Path

from webex_oauth.stores.sqlite import attempts, grants, sessions
from webex_oauth.stores.sqlite.admission import admit
from webex_oauth.stores.sqlite.connection import check_sqlite_version
from webex_oauth.stores.sqlite.files import prepare_files
from webex_oauth.stores.sqlite.pulse import beat
from webex_oauth.stores.sqlite.quick_writer import QuickWriter
from webex_oauth.stores.sqlite.reader import Reader
from webex_oauth.stores.sqlite.schema import prepare_schema
from webex_oauth.stores.sqlite.sweeping import sweep
from webex_oauth.stores.sqlite.writer import Writer
from webex_oauth.vault.records import (
    AttemptRecord,
    EndedSession,
    FinishedAttempt,
    GrantRecord,
    SessionRecord,
)
from webex_oauth.vault.store import Admission


class SqliteStore:
    """Keep everything in one file, shared by the processes of one machine.

    A refreshed grant and a sign-out are on the disk before they are answered. Everything else
    survives the end of the process at once, and a loss of power a twentieth of a second later.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = Writer(path)
        self._quick_writer = QuickWriter(path, self._writer)
        self._reader = Reader(path, self._writer)

    async def open(self) -> None:
        """Make or check the file and its tables."""
        check_sqlite_version()
        await asyncio.to_thread(prepare_files, self._path)
        self._writer.start()
        try:
            await self._writer.write(partial(prepare_schema, path=self._path))
        except BaseException:
            await self._writer.stop()
            raise

    async def close(self) -> None:
        """Finish what was begun and let go of the file."""
        self._reader.close()
        self._quick_writer.close()
        await self._writer.stop()

    async def check(self) -> None:
        """Prove that a write is possible just now."""
        await self._writer.write(beat)

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

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        """Write a grant over its *expected_version*."""
        await self._writer.write_durably(
            partial(grants.replace_grant, record=record, expected_version=expected_version)
        )

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        """Find a session that was not ended."""
        return await self._reader.read(partial(sessions.find_session, digest=digest))

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        """Move `seen_at` forward."""
        await self._quick_writer.write(
            partial(sessions.touch_session, digest=digest, seen_at=seen_at)
        )

    async def replace_session(self, old_digest: bytes, new: SessionRecord) -> bool:
        """Put *new* in the place of a session."""
        return await self._quick_writer.write(
            partial(sessions.replace_session, old_digest=old_digest, new=new)
        )

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int
    ) -> EndedSession | None:
        """Delete a session, and its grant when no other live session has it."""
        return await self._writer.write_durably(
            partial(sessions.end_session, digest=digest, now=now, idle_seconds=idle_seconds)
        )

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        """Remove a batch of what is over."""
        return await self._writer.write(partial(sweep, now=now, idle_seconds=idle_seconds))
