"""Asking: somebody wants a token of a grant after a death."""

from crashes.local_webex import LocalWebex

from webex_oauth.errors import ReauthRequired
from webex_oauth.integration import Integration


async def ask(integration: Integration, key: bytes, webex: LocalWebex) -> str | None:
    """Ask for a token, which has to be good; give why only the person can help."""
    try:
        token = await integration.vault.access_token(key)
    except ReauthRequired as error:
        return error.reason
    assert webex.accepts(token)
    return None
