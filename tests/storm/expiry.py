"""Waiting for the end of an access token."""

from waiting import until_true

from webex_oauth.integration import Integration


async def token_is_over(integration: Integration, key: bytes) -> None:
    """Wait until the grant's access token has ended, by the clock that all share."""
    ends_at = (await integration.vault.grant(key)).tokens.access_expires_at
    assert ends_at is not None
    await until_true(lambda: integration.context.clock() >= ends_at)
