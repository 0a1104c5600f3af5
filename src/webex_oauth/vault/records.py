"""What stores keep: rows they can find, count and expire, but not read.

Instants are seconds since 1970; digests and keys are 32 bytes.
"""

import hashlib
from dataclasses import dataclass, field

from webex_oauth.secret import Secret


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One sign-in under way, found by the digest of its state, bound to one browser's cookie."""

    state_digest: bytes
    browser_digest: bytes
    sealed: bytes = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class FinishedAttempt:
    """An attempt that was used before; `session_digest` is None when it brought no session."""

    attempt: AttemptRecord
    session_digest: bytes | None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One signed-in browser, found by the digest of its session id.

    It ends at `expires_at` whatever happens, and earlier when it was not seen for too long.
    """

    digest: bytes
    grant_key: bytes
    sealed: bytes = field(repr=False)
    created_at: int
    seen_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """What one person allowed.

    `version` grows with every write. At `access_expires_at` the access token ends, at `ends_at`
    the last of its tokens; None where the server did not say.
    """

    key: bytes
    version: int
    sealed: bytes = field(repr=False)
    access_expires_at: int | None
    ends_at: int | None


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that is gone; `grant` went with it when no other session needed it."""

    grant_key: bytes
    grant: GrantRecord | None


def digest(secret: Secret) -> bytes:
    """Hash a secret of at least 128 random bits into the name under which a store may know it."""
    return hashlib.sha256(secret.reveal().encode()).digest()


def grant_key(issuer: str, subject: str) -> bytes:
    """Name the grant of one person at one issuer; no two pairs share a name."""
    names = (issuer.encode(), subject.encode())
    return hashlib.sha256(b"".join(len(name).to_bytes(4, "big") + name for name in names)).digest()


def instant(at: int) -> bytes:
    """Encode an instant for a seal's context."""
    return at.to_bytes(8, "big", signed=True)
