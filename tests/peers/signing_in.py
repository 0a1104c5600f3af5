"""Signing in with this project's own flow at whatever server an integration is registered at."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from webex_oauth.flows.sign_in import HOME, SignedIn
from webex_oauth.integration import OpenIntegration
from webex_oauth.oauth.authorization import read_callback
from webex_oauth.secret import Secret
from webex_oauth.vault.records import digest


async def sign_in(integration: OpenIntegration, allow: Callable[[str], str]) -> Secret:
    """Begin, let the person *allow* it at the server, and complete; give the session's id."""
    started = integration.sign_in.begin(HOME)
    callback_url = await asyncio.to_thread(allow, started.authorization_url)
    outcome = await integration.sign_in.complete(
        read_callback(urlsplit(callback_url).query.encode()),
        attempt=started.attempt,
        session_id=None,
    )
    assert isinstance(outcome, SignedIn), outcome
    assert outcome.session_id
    return outcome.session_id


async def signed_in(integration: OpenIntegration, allow: Callable[[str], str]) -> bytes:
    """Sign in; give the name of the person's grant."""
    session_id = await sign_in(integration, allow)
    session = await integration.context.ledger.find_session(digest(session_id))
    assert session is not None
    return session.record.grant_key
