"""People in a store: each with one grant and one session, put in and read by a serial number.

All that the bench knows of the store's own interface is here.
"""

import time
from time import perf_counter

from bench.upstream import ORGANISATION, PERSON_NAME, SCOPES, Account
from webex_oauth.integration import OpenIntegration
from webex_oauth.oauth.token import TokenSet, refresh_request
from webex_oauth.ports import TOKEN_LIMITS
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Grant, Profile, Session, digest, grant_key, new_version
from webex_oauth.vault.rows import Change

ACCESS_SECONDS = 14 * 86_400
REFRESH_SECONDS = 90 * 86_400
SESSION_SECONDS = 30 * 86_400
SEEN_AHEAD_SECONDS = 12 * 3_600
"""Sessions were last seen in the future: otherwise a read would sometimes write when it was."""
BATCH = 500


def session_id(serial: int) -> Secret:
    """Return the session id of a person."""
    return Secret(f"bench-session-{serial}")


def token(serial: int, *, is_renewed: bool = False) -> Secret:
    """Return a person's access token as the stub spells it; the refresh token is its first one."""
    return Secret(Account(100, 0, serial).token(is_renewed=is_renewed))


def subject(serial: int) -> str:
    """Return whose the grant is."""
    return f"person {serial}"


async def add_people(integration: OpenIntegration, serials: range) -> None:
    """Write the grant and the session of each person, as if they all had signed in now."""
    rows, now = integration.context.ledger.rows, int(time.time())
    for begin in range(serials.start, serials.stop, BATCH):
        batch = range(begin, min(begin + BATCH, serials.stop))
        changes = [change for serial in batch for change in _person(integration, serial, now)]
        assert await rows.apply(changes, durably=False)


def _person(integration: OpenIntegration, serial: int, now: int) -> list[Change]:
    ledger = integration.context.ledger
    scopes = frozenset(SCOPES.split())
    tokens = TokenSet(
        access_token=token(serial),
        access_expires_at=now + ACCESS_SECONDS,
        refresh_token=token(serial),
        refresh_expires_at=now + REFRESH_SECONDS,
        scopes=scopes,
    )
    issuer = integration.context.platform.server.issuer
    grant = Grant(issuer, subject(serial), tokens, scopes, now)
    email = f"mira.{serial}@acme.example"
    session = Session(
        digest=digest(session_id(serial)),
        grant_key=grant.key,
        profile=Profile(subject(serial), PERSON_NAME, email, ORGANISATION),
        created_at=now,
        seen_at=now + SEEN_AHEAD_SECONDS,
        expires_at=now + SESSION_SECONDS,
    )
    version = new_version(grant, None, integration.context.randomness)
    return [ledger.grants.put(grant.key, version), ledger.sessions.put(session.digest, session)]


async def read_person(integration: OpenIntegration, serial: int) -> None:
    """Find a session and a token for it, as the page of spaces does before it calls Webex."""
    session = await integration.sessions.find(session_id(serial))
    assert session is not None
    found = await integration.vault.access_token(session.grant_key)
    assert found in (token(serial), token(serial, is_renewed=True))


async def request_seconds(integration: OpenIntegration, serial: int) -> float:
    """Time the bare request of a refresh."""
    context = integration.context
    request = refresh_request(context.platform.server, context.client, token(serial))
    begun = perf_counter()
    response = await context.transport.send(request, TOKEN_LIMITS)
    seconds = perf_counter() - begun
    assert response.status == 200
    return seconds


async def refresh_seconds(integration: OpenIntegration, serial: int) -> float:
    """Time a whole refresh, and check that it was one; a person can be refreshed once."""
    key = grant_key(integration.context.platform.server.issuer, subject(serial))
    assert await integration.vault.access_token(key) == token(serial)
    begun = perf_counter()
    renewed = await integration.vault.refreshed(key, token(serial))
    seconds = perf_counter() - begun
    assert renewed == token(serial, is_renewed=True)
    return seconds
