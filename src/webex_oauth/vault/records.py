"""What stores keep: rows they can find, count and expire, but not read.

Making one from values that cannot be raises SealBroken.

Instants are seconds since 1970; digests and keys are 32 bytes.
"""

import hashlib
from dataclasses import dataclass, field
from typing import TypeAlias

from webex_oauth.secret import Secret
from webex_oauth.vault.row_values import (
    check_row,
    is_bytes,
    is_count,
    is_instant,
    is_version,
    or_none,
)

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One sign-in under way, found by the digest of its state, bound to one browser's cookie."""

    state_digest: bytes
    browser_digest: bytes
    sealed: bytes = field(repr=False)
    expires_at: int

    def __post_init__(self) -> None:
        check_row(
            "attempt",
            self.state_digest,
            (self.state_digest, is_bytes),
            (self.browser_digest, is_bytes),
            (self.sealed, is_bytes),
            (self.expires_at, is_instant),
        )


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

    def __post_init__(self) -> None:
        check_row(
            "session",
            self.digest,
            (self.digest, is_bytes),
            (self.grant_key, is_bytes),
            (self.sealed, is_bytes),
            (self.created_at, is_instant),
            (self.seen_at, is_instant),
            (self.expires_at, is_instant),
        )


@dataclass(frozen=True, slots=True)
class RefreshTrouble:
    """What a refresh that brought no tokens leaves behind for the next one."""

    presented_count: int
    failure_count: int
    retry_at: int


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """What one person allowed.

    `version` grows with every write of what is sealed. At `access_expires_at` the access token
    ends, at `ends_at` the last of its tokens; None where the server did not say. From `keep_at` on
    the keeper renews it; None when there is nothing to renew.

    The rest tells of this version's refresh: who holds the lease and until when, how often its
    refresh token may have been presented without an answer, how often that failed in a row, and
    before when nobody tries again.
    """

    key: bytes
    version: int
    sealed: bytes = field(repr=False)
    access_expires_at: int | None
    ends_at: int | None
    keep_at: int | None = None
    lease_owner: bytes | None = None
    lease_until: int = 0
    presented_count: int = 0
    failure_count: int = 0
    retry_at: int = 0

    def __post_init__(self) -> None:
        check_row(
            "grant",
            self.key,
            (self.key, is_bytes),
            (self.version, is_version),
            (self.sealed, is_bytes),
            (self.access_expires_at, or_none(is_instant)),
            (self.ends_at, or_none(is_instant)),
            (self.keep_at, or_none(is_instant)),
            (self.lease_owner, or_none(is_bytes)),
            (self.lease_until, is_instant),
            (self.presented_count, is_count),
            (self.failure_count, is_count),
            (self.retry_at, is_instant),
        )

    @property
    def trouble(self) -> RefreshTrouble:
        """Give what the refreshes of this version have left behind."""
        return RefreshTrouble(self.presented_count, self.failure_count, self.retry_at)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to refresh a grant: whose it is, and until when nobody else has it."""

    owner: bytes
    until: int


@dataclass(frozen=True, slots=True)
class RevocationRecord:
    """Tokens that are gone from here and still have to be given back to their server.

    They are sealed as the version of the grant that they were. `due_at` is when to try next;
    after `ends_at` there is nothing left to revoke.
    """

    grant_key: bytes
    version: int
    sealed: bytes = field(repr=False)
    ends_at: int | None
    due_at: int
    try_count: int = 0

    def __post_init__(self) -> None:
        check_row(
            "revocation",
            self.grant_key,
            (self.grant_key, is_bytes),
            (self.version, is_version),
            (self.sealed, is_bytes),
            (self.ends_at, or_none(is_instant)),
            (self.due_at, is_instant),
            (self.try_count, is_count),
        )


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that is gone; `revocation` was queued when its grant went with it."""

    grant_key: bytes
    revocation: RevocationRecord | None


SealedRecord: TypeAlias = AttemptRecord | SessionRecord | GrantRecord | RevocationRecord
"""Every kind of row that holds something sealed."""


def name_of(record: SealedRecord) -> bytes:
    """Give the name by which a row is found and ordered among its kind."""
    match record:
        case AttemptRecord():
            return record.state_digest
        case SessionRecord():
            return record.digest
        case GrantRecord():
            return record.key
        case RevocationRecord():
            return revocation_name(record.grant_key, record.version)


def revocation_name(grant_key: bytes, version: int) -> bytes:
    """Return the name of a revocation, which orders it by its grant."""
    return grant_key + version.to_bytes(8, "big")


def check_secret(value: object) -> None:
    """Raise TypeError for what is no `Secret`."""
    if not isinstance(value, Secret):
        raise TypeError(
            f"a token or session id is a webex_oauth.secret.Secret, not {type(value).__name__}"
        )


def check_grant_key(value: object) -> None:
    """Raise TypeError for what cannot be the key of a grant."""
    if isinstance(value, bytes) and len(value) == KEY_BYTES:
        return
    what = f"{len(value)} bytes" if isinstance(value, bytes) else type(value).__name__
    raise TypeError(
        f"a grant's key is {KEY_BYTES} bytes, not {what}: take the `grant_key` of a session, or "
        "make it with webex_oauth.vault.records.grant_key(issuer, subject)"
    )


def digest(secret: Secret) -> bytes:
    """Hash a secret of at least 128 random bits into the name under which a store may know it.

    Raises TypeError for anything but a `Secret`.
    """
    check_secret(secret)
    return hashlib.sha256(secret.reveal().encode()).digest()


def grant_key(issuer: str, subject: str) -> bytes:
    """Name the grant of one person at one issuer; no two pairs share a name."""
    names = (issuer.encode(), subject.encode())
    return hashlib.sha256(b"".join(len(name).to_bytes(4, "big") + name for name in names)).digest()


def name_of_grant(key: bytes) -> str:
    """Return the short name by which logs and errors call a grant."""
    return key.hex()[:12]


def instant(at: int) -> bytes:
    """Encode an instant for a seal's context."""
    return at.to_bytes(8, "big", signed=True)
