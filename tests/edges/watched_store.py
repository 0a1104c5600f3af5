"""A store that can be made to fail and that counts what is asked of it."""

from dataclasses import dataclass, field

from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.records import (
    AttemptRecord,
    EndedSession,
    FinishedAttempt,
    GrantRecord,
    SessionRecord,
)
from webex_oauth.vault.store import Admission, Store


@dataclass
class WatchedStore:
    """Pass everything on to a store in memory, unless `failure` is set: then raise that.

    `change_count` counts the calls that change something, `check_count` the readiness checks.
    """

    store: Store = field(default_factory=MemoryStore)
    failure: Exception | None = None
    change_count: int = 0
    check_count: int = 0

    async def open(self) -> None:
        await self.store.open()

    async def close(self) -> None:
        await self.store.close()

    async def check(self) -> None:
        self.check_count += 1
        self._fail()
        await self.store.check()

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        self._change()
        await self.store.add_attempt(record, at_most=at_most, now=now)

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        self._change()
        return await self.store.take_attempt(state_digest, browser_digest, now)

    async def abandon_attempt(self, state_digest: bytes) -> None:
        self._change()
        await self.store.abandon_attempt(state_digest)

    async def admit(self, admission: Admission) -> EndedSession | None:
        self._change()
        return await self.store.admit(admission)

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        self._fail()
        return await self.store.find_grant(key)

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        self._change()
        await self.store.replace_grant(record, expected_version)

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        self._fail()
        return await self.store.find_session(digest)

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        self._change()
        await self.store.touch_session(digest, seen_at)

    async def replace_session(self, old_digest: bytes, new: SessionRecord) -> bool:
        self._change()
        return await self.store.replace_session(old_digest, new)

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int
    ) -> EndedSession | None:
        self._change()
        return await self.store.end_session(digest, now=now, idle_seconds=idle_seconds)

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        return await self.store.sweep(now=now, idle_seconds=idle_seconds)

    def _change(self) -> None:
        self._fail()
        self.change_count += 1

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure
