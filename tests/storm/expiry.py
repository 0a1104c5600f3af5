"""Waiting for the end of an access token."""

import asyncio

from webex_oauth.integration import Integration

PATIENCE_SECONDS = 10


async def token_is_over(integration: Integration, key: bytes) -> None:
    """Wait until the grant's access token has ended, by the clock that all share."""
    ends_at = (await integration.vault.grant(key)).tokens.access_expires_at
    assert ends_at is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        while integration.context.clock() < ends_at:  # noqa: ASYNC110 - time tells nobody
            await asyncio.sleep(0.05)
