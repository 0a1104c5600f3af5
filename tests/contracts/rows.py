"""Rows for stores: told apart by a number, sealed content invented."""

from webex_oauth.vault.records import (
    AttemptRecord,
    GrantRecord,
    RevocationRecord,
    SessionRecord,
)
from webex_oauth.vault.store import ABSENT, Admission

NOW = 1_800_000_000
LIFETIME_SECONDS = 600
IDLE_SECONDS = 3_600
ABSOLUTE_SECONDS = 86_400


def name(kind: str, number: int) -> bytes:
    return f"{kind} {number}".encode().ljust(32, b".")


def attempt(number: int = 1, *, browser: int = 1, started_at: int = NOW) -> AttemptRecord:
    sealed = b"sealed " + name("attempt", number)
    expires_at = started_at + LIFETIME_SECONDS
    return AttemptRecord(name("state", number), name("browser", browser), sealed, expires_at)


def session(number: int = 1, *, of: int = 1, created_at: int = NOW) -> SessionRecord:
    """Make session *number* of grant *of*."""
    return SessionRecord(
        digest=name("session", number),
        grant_key=name("grant", of),
        sealed=b"sealed " + name("profile", number),
        created_at=created_at,
        seen_at=created_at,
        expires_at=created_at + ABSOLUTE_SECONDS,
    )


def grant(
    number: int = 1, *, version: int = 1, ends_at: int | None = None, keep_at: int | None = None
) -> GrantRecord:
    sealed = b"sealed " + name(f"version {version} of grant", number)
    return GrantRecord(name("grant", number), version, sealed, None, ends_at, keep_at)


def revocation(
    of: int = 1,
    *,
    version: int = 1,
    ends_at: int | None = None,
    due_at: int = NOW,
    try_count: int = 0,
) -> RevocationRecord:
    """Queue what `grant(of, version=version)` held."""
    sealed = grant(of, version=version).sealed
    return RevocationRecord(name("grant", of), version, sealed, ends_at, due_at, try_count)


def admission(
    number: int = 1,
    *,
    of: int = 1,
    version: int = 1,
    expected_version: int = ABSENT,
    replaced: int | None = None,
    created_at: int = NOW,
    ends_at: int | None = None,
    keep_at: int | None = None,
) -> Admission:
    """Admit session *number* to grant *of*, after attempt *number*."""
    return Admission(
        grant=grant(of, version=version, ends_at=ends_at, keep_at=keep_at),
        expected_version=expected_version,
        session=session(number, of=of, created_at=created_at),
        attempt_state_digest=name("state", number),
        earlier=None,
        replaced_session=None if replaced is None else name("session", replaced),
        idle_seconds=IDLE_SECONDS,
        keeps_grants=False,
    )
