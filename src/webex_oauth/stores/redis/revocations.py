"""Revocations in Redis, in the order in which they are due."""

from collections.abc import Sequence
from typing import Any

from webex_oauth.stores.redis.database import RedisPart
from webex_oauth.stores.redis.rows import (
    REVOCATION,
)
from webex_oauth.vault.records import RevocationRecord, name_of, revocation_name


class Revocations(RedisPart):
    """The revocations of a store."""

    async def add_revocation(self, record: RevocationRecord) -> None:
        await self._database.run_durably(
            "add_revocation", name=name_of(record), revocation=REVOCATION.fields(record)
        )

    async def take_revocations(
        self, *, now: int, until: int, limit: int
    ) -> Sequence[RevocationRecord]:
        rows = await self._database.run(
            "take_revocations", now=now, until=until, limit=limit, columns=REVOCATION.columns_text
        )
        return REVOCATION.read_all(rows)

    async def postpone_revocation(self, grant_key: bytes, version: int, due_at: int) -> None:
        name = revocation_name(grant_key, version)
        await self._database.run("postpone_revocation", name=name, due_at=due_at)

    async def drop_revocation(self, grant_key: bytes, version: int) -> None:
        await self._database.run("drop_revocation", name=revocation_name(grant_key, version))


def read_ended_grant(grant_key: bytes, ended: Sequence[Any], now: int) -> RevocationRecord:
    """Read what a script says of a grant that it ended and queued."""
    version, sealed, ends_at = ended
    return REVOCATION.read(grant_key + version, (sealed, ends_at, now, 0))
