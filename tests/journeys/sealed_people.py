"""People as the store knows them: admitted, refreshed and read, with seals that are real."""

import hashlib

from webex_oauth.errors import StoreConflict
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.attempts import Attempt, seal_attempt
from webex_oauth.vault.grants import Grant, open_grant, revocation_of, seal_grant
from webex_oauth.vault.records import GrantRecord, grant_key
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.sessions import Profile, Session, open_session, seal_session
from webex_oauth.vault.store import ABSENT, Admission, Store

ISSUER = "https://op.example"
NAMES = 150
NOW = 1_800_000_000
IDLE_SECONDS = 3_600


async def admit_person(store: Store, sealer: Sealer, person: str, number: int) -> None:
    """Sign a person in, again if they were; the earlier tokens wait to be revoked."""
    state = _digest(f"state {person} {number}")
    attempt = Attempt(Secret("v" * 43), "/", ISSUER, "http://localhost/oauth", ())
    sealed = seal_attempt(sealer, attempt, state, state, NOW + 600)
    await store.add_attempt(sealed, at_most=100_000, now=NOW)
    await store.take_attempt(state, state, NOW)
    found = await store.find_grant(grant_key(ISSUER, person))
    session_digest = _digest(f"session {person}")
    await store.end_session(session_digest, now=NOW, idle_seconds=IDLE_SECONDS, keeps_grants=True)
    session = Session(
        session_digest, grant_key(ISSUER, person), Profile(person), NOW, NOW, NOW + 86_400
    )
    admission = Admission(
        grant=seal_grant(sealer, _grant(person, number), found),
        expected_version=ABSENT if found is None else found.version,
        session=seal_session(sealer, session),
        attempt_state_digest=state,
        earlier=None if found is None else revocation_of(found, NOW),
        replaced_session=None,
        idle_seconds=IDLE_SECONDS,
        keeps_grants=True,
    )
    await store.admit(admission)


async def refresh_person(store: Store, sealer: Sealer, person: str, number: int) -> None:
    """Write new tokens over the old ones, as a refresh does."""
    found = await _find(store, person)
    if found is None:
        return
    grant = open_grant(sealer, found)
    assert grant.subject == person
    try:
        await store.replace_grant(seal_grant(sealer, _grant(person, number), found), found.version)
    except StoreConflict:
        return


async def read_person(store: Store, sealer: Sealer, person: str) -> bool:
    """Open all that is kept of a person; False when there is nobody of that name."""
    found = await _find(store, person)
    if found is None:
        return False
    assert open_grant(sealer, found).subject == person
    session = await store.find_session(_digest(f"session {person}"))
    assert session
    assert open_session(sealer, session).profile.person_id == person
    return True


async def _find(store: Store, person: str) -> GrantRecord | None:
    return await store.find_grant(grant_key(ISSUER, person))


def _grant(person: str, number: int) -> Grant:
    tokens = TokenSet(Secret(f"access {number}"), None, Secret(f"refresh {number}"), None, None)
    return Grant(ISSUER, person, tokens, frozenset())


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
