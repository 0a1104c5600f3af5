"""Key checks in PostgreSQL: what is sealed under each key in use."""

from typing import Final

from webex_oauth.stores.postgres.database import Link, PostgresPart

ALL: Final = "SELECT key_id, sealed FROM {schema}.key_checks"
ADD: Final = """
INSERT INTO {schema}.key_checks (key_id, sealed) VALUES (%(key_id)s, %(sealed)s)
  ON CONFLICT (key_id) DO NOTHING
"""
DROP: Final = "DELETE FROM {schema}.key_checks WHERE key_id = %(key_id)s"


class KeyChecks(PostgresPart):
    """The key checks of a store."""

    async def key_checks(self) -> dict[str, bytes]:
        return dict(await self._read(Link.rows, ALL))

    async def add_key_check(self, key_id: str, sealed: bytes) -> None:
        await self._write(Link.run, ADD, {"key_id": key_id, "sealed": sealed})

    async def drop_key_check(self, key_id: str) -> None:
        await self._write(Link.run, DROP, {"key_id": key_id})
