"""People as a store holds them: each with one grant and one session, found by a serial number."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.world import ORGANISATION, PERSON_NAME, SCOPES, Account, webex_id
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.grants import Grant, seal_grant
from webex_oauth.vault.records import GrantRecord, SessionRecord, digest
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.sessions import Profile, Session, seal_session

ACCESS_SECONDS = 14 * 86_400
REFRESH_SECONDS = 90 * 86_400
SESSION_SECONDS = 30 * 86_400
SEEN_AHEAD_SECONDS = 12 * 3_600
"""Sessions were last seen in the future: else a read would now and then write when it was."""


@dataclass(frozen=True, slots=True)
class SealedPerson:
    """One person's rows."""

    grant: GrantRecord
    session: SessionRecord


def session_id(serial: int) -> Secret:
    """Spell the session id of a person."""
    return Secret(f"bench-session-{serial}")


def subject(serial: int) -> str:
    """Spell whose the grant is."""
    return f"person {serial}"


def token(serial: int) -> Secret:
    """Spell a person's token as the stub does: for access and for refreshing alike."""
    return Secret(f"{Account(100, 0, serial).code}_PF84_{ORGANISATION}")


def sealed_people(sealer: Sealer, issuer: str, serials: range, now: int) -> Iterator[SealedPerson]:
    """Seal people one after the other, as if they had all just signed in."""
    for serial in serials:
        grant = seal_grant(sealer, _grant(issuer, serial, now), None)
        session = seal_session(sealer, _session(grant.key, serial, now))
        yield SealedPerson(grant, session)


def _grant(issuer: str, serial: int, now: int) -> Grant:
    scopes = frozenset(SCOPES.split())
    return Grant(
        issuer=issuer,
        subject=subject(serial),
        tokens=TokenSet(
            access_token=token(serial),
            access_expires_at=now + ACCESS_SECONDS,
            refresh_token=token(serial),
            refresh_expires_at=now + REFRESH_SECONDS,
            scopes=scopes,
        ),
        scopes=scopes,
        issued_at=now,
    )


def _session(grant_key: bytes, serial: int, now: int) -> Session:
    return Session(
        digest=digest(session_id(serial)),
        grant_key=grant_key,
        profile=Profile(
            person_id=webex_id("PEOPLE", str(serial)),
            display_name=PERSON_NAME,
            email=f"mira.{serial}@acme.example",
            org_id=webex_id("ORGANIZATION", ORGANISATION),
        ),
        created_at=now,
        seen_at=now + SEEN_AHEAD_SECONDS,
        expires_at=now + SESSION_SECONDS,
    )
