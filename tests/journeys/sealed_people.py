"""People as the store knows them: signed in, refreshed and read, with seals that are real."""

import hashlib
import os

from webex_oauth.errors import StoreConflict
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.ledger import Admission, Ledger
from webex_oauth.vault.records import (
    Grant,
    Mark,
    Profile,
    Session,
    grant_key,
    new_version,
    revocation_of,
)
from webex_oauth.vault.rows import Entry, Rows
from webex_oauth.vault.sealing import Sealer

ISSUER = "https://op.example"
NAMES = 150
NOW = 1_800_000_000
IDLE_SECONDS = 3_600


def ledger_on(rows: Rows, sealer: Sealer) -> Ledger:
    return Ledger(rows, sealer, IDLE_SECONDS)


async def admit_person(rows: Rows, sealer: Sealer, person: str, number: int) -> None:
    """Sign a person in, again if they were; the earlier tokens wait to be revoked."""
    ledger = ledger_on(rows, sealer)
    state, session_digest = _digest(f"state {person} {number}"), _digest(f"session {person}")
    mark = await ledger.take_state(state, NOW + 600, NOW)
    await ledger.end_session(session_digest, NOW, keeps_grants=True, reason="expired")
    while not await _admit(ledger, person, number, mark):
        pass  # a grant moves when it is re-encrypted


async def _admit(ledger: Ledger, person: str, number: int, mark: Entry[Mark]) -> bool:
    key, session_digest = grant_key(ISSUER, person), _digest(f"session {person}")
    found = await ledger.earlier_grant(key)
    admission = Admission(
        mark=mark,
        state_digest=_digest(f"state {person} {number}"),
        grant=new_version(_grant(person, number), found.record, os.urandom),
        over=found.rev,
        session=Session(session_digest, key, Profile(person), NOW, NOW, NOW + 86_400),
        earlier=None if found.record is None else revocation_of(found.record, NOW),
        replaced_session=None,
        keeps_grants=True,
        at=NOW,
    )
    try:
        await ledger.admit(admission)
    except StoreConflict:
        return False
    return True


async def refresh_person(rows: Rows, sealer: Sealer, person: str, number: int) -> None:
    """Write new tokens over the old ones, as a refresh does."""
    ledger = ledger_on(rows, sealer)
    found = await ledger.find_grant(grant_key(ISSUER, person))
    if found is None:
        return
    assert found.record.subject == person
    renewed = new_version(_grant(person, number), found.record, sealer.randomness)
    await ledger.replace_grant(found, renewed, durably=True)


async def read_person(rows: Rows, sealer: Sealer, person: str) -> bool:
    """Open all that is kept of a person; return False if there is nobody of that name."""
    ledger = ledger_on(rows, sealer)
    found = await ledger.find_grant(grant_key(ISSUER, person))
    if found is None:
        return False
    assert found.record.subject == person
    session = await ledger.find_session(_digest(f"session {person}"))
    assert session
    assert session.record.profile.person_id == person
    return True


def _grant(person: str, number: int) -> Grant:
    tokens = TokenSet(Secret(f"access {number}"), None, Secret(f"refresh {number}"), None, None)
    return Grant(ISSUER, person, tokens, frozenset(), 0)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
