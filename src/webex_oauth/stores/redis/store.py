"""The Redis store: what it reads is one command, and every other step is one script."""

from collections.abc import Sequence

from webex_oauth.stores.redis.address import read_address
from webex_oauth.stores.redis.admission import Admissions
from webex_oauth.stores.redis.attempts import Attempts
from webex_oauth.stores.redis.database import Database
from webex_oauth.stores.redis.durability import check_durability
from webex_oauth.stores.redis.grants import Grants
from webex_oauth.stores.redis.revocations import Revocations
from webex_oauth.stores.redis.rows import KINDS
from webex_oauth.stores.redis.schema import prepare_schema
from webex_oauth.stores.redis.sessions import Sessions
from webex_oauth.vault.records import (
    SealedRecord,
    name_of,
)
from webex_oauth.vault.store import Row

SWEEP_BATCH = 500
MICROSECONDS = 1_000_000


class RedisStore(Attempts, Sessions, Grants, Revocations, Admissions):
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
