"""Key checks in PostgreSQL: what is sealed under each key in use."""

from typing import Final

from webex_oauth.stores.postgres.database import Link

ALL: Final = "SELECT key_id, sealed FROM {schema}.key_checks"
ADD: Final = """
INSERT INTO {schema}.key_checks (key_id, sealed) VALUES (%(key_id)s, %(sealed)s)
  ON CONFLICT (key_id) DO NOTHING
"""
DROP: Final = "DELETE FROM {schema}.key_checks WHERE key_id = %(key_id)s"


async def key_checks(link: Link) -> dict[str, bytes]:
    """Give what is sealed under each key, by the key's id."""
    return dict(await link.rows(ALL))


async def add_key_check(link: Link, key_id: str, sealed: bytes) -> None:
    """Note that a key is in use."""
    await link.run(ADD, {"key_id": key_id, "sealed": sealed})


async def drop_key_check(link: Link, key_id: str) -> None:
    """Note that a key is no longer in use."""
    await link.run(DROP, {"key_id": key_id})
