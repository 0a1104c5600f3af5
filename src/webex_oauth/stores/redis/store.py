"""The Redis store: what it reads is one command, and every other step is one script."""

from collections.abc import Sequence

from webex_oauth.stores.belonging import BelongingStore
from webex_oauth.stores.redis import attempts, grants, revocations, sessions
from webex_oauth.stores.redis.address import read_address
from webex_oauth.stores.redis.admission import admit
from webex_oauth.stores.redis.database import Database
from webex_oauth.stores.redis.durability import check_durability
from webex_oauth.stores.redis.rows import KINDS
from webex_oauth.stores.redis.schema import prepare_schema
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
    name_of,
)
from webex_oauth.vault.store import Admission, Row

SWEEP_BATCH = 500
MICROSECONDS = 1_000_000


class RedisStore(BelongingStore):
    """Keep everything in one Redis 6.2 or later, or Valkey, for several machines.

    The server has to keep an append-only file, which is checked. With `appendfsync always`, every
    answer means that the disk has it: the best choice, and not a slow one. With `everysec`, what a
    sign-in, a claim, a refreshed grant, a queued revocation or a sign-out wrote is confirmed by the
    disk before it is answered, where the server can do that (Redis 7.2, Valkey), which takes up to
    a second or so; an older one loses the last two seconds of these, as of everything else, when it
    is killed or its power fails. Then a sign-in is gone and the person signs in again; a refreshed
    grant falls back to its earlier tokens, which Webex still takes, but a server that rotates
    refresh tokens does not; and a session that was ended lives again.

    A replica that takes over knows nothing of what had not reached it.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(read_address(url))

    async def open(self) -> None:
        """Check the server and note the schema; raise ConfigurationError with what to change."""
        try:
            await prepare_schema(self._database)
            await check_durability(self._database)
        except BaseException:
            await self._database.close()
            raise

    async def close(self) -> None:
        """Close every connection."""
        await self._database.close()

    async def check(self) -> None:
        await self._database.command("SET", self._database.key("pulse"), 1)

    async def time(self) -> float:
        seconds, microseconds = await self._database.command("TIME")
        return int(seconds) + int(microseconds) / MICROSECONDS

    async def add_attempt(self, record: AttemptRecord, *, at_most: int, now: int) -> None:
        await attempts.add_attempt(self._database, record, at_most, now)

    async def take_attempt(
        self, state_digest: bytes, browser_digest: bytes, now: int
    ) -> AttemptRecord | FinishedAttempt:
        return await attempts.take_attempt(self._database, state_digest, browser_digest, now)

    async def abandon_attempt(self, state_digest: bytes) -> None:
        await self._database.run("abandon_attempt", name=state_digest)

    async def admit(self, admission: Admission) -> EndedSession | None:
        return await admit(self._database, admission)

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        return await grants.find_grant(self._database, key)

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        return await grants.claim_grant(self._database, seen, lease, now)

    async def renew_lease(self, key: bytes, version: int, lease: Lease) -> bool:
        return await grants.renew_lease(self._database, key, version, lease)

    async def release_grant(
        self, key: bytes, version: int, owner: bytes, trouble: RefreshTrouble
    ) -> bool:
        return await grants.release_grant(self._database, key, version, owner, trouble)

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        await grants.replace_grant(self._database, record, expected_version)

    async def due_grants(self, *, now: int, limit: int) -> Sequence[GrantRecord]:
        return await grants.due_grants(self._database, now, limit)

    async def end_grant(self, key: bytes, *, now: int) -> RevocationRecord | None:
        return await grants.end_grant(self._database, key, now)

    async def find_session(self, digest: bytes) -> SessionRecord | None:
        return await sessions.find_session(self._database, digest)

    async def touch_session(self, digest: bytes, seen_at: int) -> None:
        await self._database.run("touch_session", digest=digest, seen_at=seen_at)

    async def replace_session(
        self, old_digest: bytes, new: SessionRecord, *, attempt_state_digest: bytes
    ) -> bool:
        return await sessions.replace_session(self._database, old_digest, new, attempt_state_digest)

    async def sessions_of(self, grant_key: bytes, *, limit: int) -> Sequence[SessionRecord]:
        return await sessions.sessions_of(self._database, grant_key, limit)

    async def over_sessions(
        self, *, now: int, idle_seconds: int, limit: int
    ) -> Sequence[SessionRecord]:
        return await sessions.over_sessions(self._database, now, idle_seconds, limit)

    async def end_session(
        self, digest: bytes, *, now: int, idle_seconds: int, keeps_grants: bool
    ) -> EndedSession | None:
        return await sessions.end_session(
            self._database, digest, now, idle_seconds, keeps_grants=keeps_grants
        )

    async def add_revocation(self, record: RevocationRecord) -> None:
        await revocations.add_revocation(self._database, record)

    async def take_revocations(
        self, *, now: int, until: int, limit: int
    ) -> Sequence[RevocationRecord]:
        return await revocations.take_revocations(self._database, now, until, limit)

    async def postpone_revocation(self, grant_key: bytes, version: int, due_at: int) -> None:
        await revocations.postpone_revocation(self._database, grant_key, version, due_at)

    async def drop_revocation(self, grant_key: bytes, version: int) -> None:
        await revocations.drop_revocation(self._database, grant_key, version)

    async def scan(self, kind: type[Row], *, after: bytes, limit: int) -> Sequence[Row]:
        found = KINDS[kind]
        rows = await self._database.run(
            "scan", kind=found.name, after=after, limit=limit, columns=found.columns_text
        )
        return found.read_all(rows)

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        is_resealed = await self._database.run(
            "reseal",
            kind=KINDS[type(record)].name,
            name=name_of(record),
            expected=record.sealed,
            sealed=sealed,
        )
        return bool(is_resealed)

    async def key_checks(self) -> dict[str, bytes]:
        flat = await self._database.command("HGETALL", self._database.key("keys"))
        return {
            key_id.decode(errors="replace"): sealed
            for key_id, sealed in zip(flat[::2], flat[1::2], strict=True)
        }

    async def add_key_check(self, key_id: str, sealed: bytes) -> None:
        await self._database.command("HSETNX", self._database.key("keys"), key_id, sealed)

    async def drop_key_check(self, key_id: str) -> None:
        await self._database.command("HDEL", self._database.key("keys"), key_id)

    async def shorten_waits(self, *, now: int, latest: int) -> None:
        await self._database.run("shorten_waits", now=now, latest=latest, batch=SWEEP_BATCH)

    async def sweep(self, *, now: int, idle_seconds: int) -> int:
        removed_count = await self._database.run(
            "sweep", now=now, idle_seconds=idle_seconds, batch=SWEEP_BATCH
        )
        return int(removed_count)
