"""Durability: what the server must promise for tokens that exist only once."""

from typing import Final

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.postgres.database import Link

SETTINGS: Final = """
SELECT current_setting('fsync'), current_setting('full_page_writes'),
  current_setting('synchronous_commit')
"""
NAMES: Final = ("fsync", "full_page_writes", "synchronous_commit")


async def check_durability(link: Link) -> None:
    """Refuse a server that confirms what a loss of power takes back; raise ConfigurationError."""
    row = await link.row(SETTINGS)
    lax = [name for name, value in zip(NAMES, row or (), strict=False) if value == "off"]
    if not lax:
        return
    raise ConfigurationError(
        [
            f"{name} is off in PostgreSQL, so that a loss of power loses users' tokens: switch it "
            "on, or add durability=unchecked to WEBEX_STORE_URL"
            for name in lax
        ]
    )
