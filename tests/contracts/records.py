"""Records for tests, told apart by a number, and ways to look at a ledger's."""

import secrets
from typing import Any

from msgspec.structs import replace

from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.ledger import Admission, Ledger
from webex_oauth.vault.records import (
    EndedSession,
    Grant,
    Mark,
    Profile,
    Revocation,
    Session,
    grant_key,
    revocation_of,
)
from webex_oauth.vault.rows import Entry, Rows
from webex_oauth.vault.sealing import Key, KeyRing, Sealer

NOW = 1_800_000_000
ATTEMPT_SECONDS = 600
IDLE_SECONDS = 3_600
ABSOLUTE_SECONDS = 86_400
ISSUER = "https://idbroker.example/idb"
KEY = grant_key(ISSUER, "person 1")
SEALER = Sealer(KeyRing(Key("1", b"k" * 32)), secrets.token_bytes)


def ledger_on(rows: Rows) -> Ledger:
    return Ledger(rows, SEALER, IDLE_SECONDS)


def digest_of(kind: str, number: int) -> bytes:
    return f"{kind} {number}".encode().ljust(32, b".")


def state(number: int = 1) -> bytes:
    return digest_of("state", number)


def key_of(number: int) -> bytes:
    return grant_key(ISSUER, f"person {number}")


def grant(
    number: int = 1, *, version: int = 1, ends_at: int | None = None, keep_at: int | None = None
) -> Grant:
    """Return grant *number*, whose tokens all end at *ends_at*."""
    tokens = TokenSet(
        access_token=Secret(f"access {number}.{version}"),
        access_expires_at=ends_at,
        refresh_token=Secret(f"refresh {number}.{version}"),
        refresh_expires_at=ends_at,
        scopes=None,
    )
    scopes = frozenset({"spark:people_read"})
    return Grant(ISSUER, f"person {number}", tokens, scopes, NOW, version, keep_at=keep_at)


def session(number: int = 1, *, of: int = 1, created_at: int = NOW) -> Session:
    """Return session *number* of grant *of*."""
    return Session(
        digest=digest_of("session", number),
        grant_key=key_of(of),
        profile=Profile(display_name=f"Person {of}"),
        created_at=created_at,
        seen_at=created_at,
        expires_at=created_at + ABSOLUTE_SECONDS,
    )


def revocation(of: int = 1, *, version: int = 1, due_at: int = NOW) -> Revocation:
    return revocation_of(grant(of, version=version), due_at)


async def sign_in(
    ledger: Ledger,
    number: int = 1,
    *,
    of: int = 1,
    version: int = 1,
    replaced: int | None = None,
    created_at: int = NOW,
    ends_at: int | None = None,
    keep_at: int | None = None,
    **changes: Any,
) -> EndedSession | None:
    """Sign in with session *number* to grant *of*, over the grant that is there now."""
    taken = await ledger.take_state(state(number), created_at + ATTEMPT_SECONDS, created_at)
    over = (await ledger.earlier_grant(key_of(of))).rev
    arrival = admission(number, taken, of=of, version=version, created_at=created_at, over=over)
    return await ledger.admit(
        replace(
            arrival,
            grant=grant(of, version=version, ends_at=ends_at, keep_at=keep_at),
            replaced_session=None if replaced is None else digest_of("session", replaced),
            **changes,
        )
    )


def admission(
    number: int,
    mark: Entry[Mark],
    *,
    of: int = 1,
    version: int = 1,
    over: int = 0,
    created_at: int = NOW,
) -> Admission:
    return Admission(
        mark=mark,
        state_digest=state(number),
        grant=grant(of, version=version),
        over=over,
        session=session(number, of=of, created_at=created_at),
        earlier=None,
        replaced_session=None,
        keeps_grants=False,
        at=created_at,
    )


async def found_grant(ledger: Ledger, number: int = 1) -> Grant | None:
    entry = await ledger.find_grant(key_of(number))
    return None if entry is None else entry.record


async def found_session(ledger: Ledger, number: int = 1) -> Session | None:
    entry = await ledger.find_session(digest_of("session", number))
    return None if entry is None else entry.record


async def end(
    ledger: Ledger, number: int = 1, now: int = NOW, *, keeps_grants: bool = False
) -> EndedSession | None:
    return await ledger.end_session(
        digest_of("session", number), now, keeps_grants=keeps_grants, reason="signed_out"
    )


async def touch(ledger: Ledger, number: int, now: int) -> None:
    entry = await ledger.find_session(digest_of("session", number))
    assert entry is not None
    await ledger.touch_session(entry, now)


async def taken(ledger: Ledger, now: int = NOW, limit: int = 99) -> list[Revocation]:
    """Take the revocations that are due, for a minute."""
    return list(await ledger.take_revocations(now, now + 60, limit))
