"""People in a store: each with one grant and one session, put in and read by a serial number.

All that the bench knows of the store's own interface is here.
"""

import asyncio
import time
from time import perf_counter

from bench.upstream import ORGANISATION, PERSON_NAME, SCOPES, Account
from webex_oauth.integration import Integration
from webex_oauth.oauth.token import TokenSet, refresh_request
from webex_oauth.ports import TOKEN_LIMITS
from webex_oauth.secret import Secret
from webex_oauth.vault.grants import Grant, seal_grant
from webex_oauth.vault.records import digest, grant_key
from webex_oauth.vault.sessions import Profile, Session, seal_session
from webex_oauth.vault.store import Admission

ACCESS_SECONDS = 14 * 86_400
REFRESH_SECONDS = 90 * 86_400
SESSION_SECONDS = 30 * 86_400
SEEN_AHEAD_SECONDS = 12 * 3_600
"""Sessions were last seen in the future: otherwise a read would sometimes write when it was."""
AT_ONCE = 64


def session_id(serial: int) -> Secret:
    """Return the session id of a person."""
    return Secret(f"bench-session-{serial}")


def token(serial: int, *, is_renewed: bool = False) -> Secret:
    """Return a person's access token as the stub spells it; the refresh token is its first one."""
    return Secret(Account(100, 0, serial).token(is_renewed=is_renewed))


def subject(serial: int) -> str:
    """Return whose the grant is."""
    return f"person {serial}"


async def add_people(integration: Integration, serials: range) -> None:
    """Admit people, many at a time, as if they all signed in now."""
    remaining, now = iter(serials), int(time.time())

    async def admit() -> None:
        for serial in remaining:
            await integration.context.store.admit(_admission(integration, serial, now))

    await asyncio.gather(*(admit() for _ in range(AT_ONCE)))


def _admission(integration: Integration, serial: int, now: int) -> Admission:
    sealer = integration.context.sealer
    scopes = frozenset(SCOPES.split())
    tokens = TokenSet(
        access_token=token(serial),
        access_expires_at=now + ACCESS_SECONDS,
        refresh_token=token(serial),
        refresh_expires_at=now + REFRESH_SECONDS,
        scopes=scopes,
    )
    issuer = integration.context.platform.server.issuer
    grant = seal_grant(sealer, Grant(issuer, subject(serial), tokens, scopes, now), None)
    email = f"mira.{serial}@acme.example"
    session = Session(
        digest=digest(session_id(serial)),
        grant_key=grant.key,
        profile=Profile(subject(serial), PERSON_NAME, email, ORGANISATION),
        created_at=now,
        seen_at=now + SEEN_AHEAD_SECONDS,
        expires_at=now + SESSION_SECONDS,
    )
    return Admission(
        grant=grant,
        expected_version=0,
        session=seal_session(sealer, session),
        attempt_state_digest=digest(session_id(-serial - 1)),
        earlier=None,
        replaced_session=None,
        idle_seconds=SESSION_SECONDS,
        keeps_grants=True,
    )


async def read_person(integration: Integration, serial: int) -> None:
    """Find a session and a token for it, as the page of spaces does before it calls Webex."""
    session = await integration.sessions.find(session_id(serial))
    assert session is not None
    found = await integration.vault.access_token(session.grant_key)
    assert found in (token(serial), token(serial, is_renewed=True))


async def request_seconds(integration: Integration, serial: int) -> float:
    """Time the bare request of a refresh."""
    context = integration.context
    request = refresh_request(context.platform.server, context.client, token(serial))
    begun = perf_counter()
    response = await context.transport.send(request, TOKEN_LIMITS)
    seconds = perf_counter() - begun
    assert response.status == 200
    return seconds


async def refresh_seconds(integration: Integration, serial: int) -> float:
    """Time a whole refresh, and check that it was one; a person can be refreshed once."""
    key = grant_key(integration.context.platform.server.issuer, subject(serial))
    assert await integration.vault.access_token(key) == token(serial)
    begun = perf_counter()
    renewed = await integration.vault.refreshed(key, token(serial))
    seconds = perf_counter() - begun
    assert renewed == token(serial, is_renewed=True)
    return seconds
