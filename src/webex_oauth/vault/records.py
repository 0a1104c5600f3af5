"""Records: what the ledger keeps of sign-ins, sessions and tokens to revoke, each sealed whole.

Instants are seconds since 1970; digests and keys of grants are 32 bytes. Grants are in `grants.py`.
"""

import hashlib
from dataclasses import dataclass

from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret

KEY_BYTES = 32
MARK_KEPT_SECONDS = 600
"""How long a second delivery of a callback is recognised after its attempt has expired."""
TOUCH_EVERY_SECONDS = 60
CLOCK_SKEW_SECONDS = 60
"""How far the clocks of two machines on one store are apart at most."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A state that was taken: its sign-in is under way, or is finished.

    `session_digest` is the session that it brought, None if it brought none.
    """

    expires_at: int
    is_finished: bool = False
    session_digest: bytes | None = None

    @property
    def kept_until(self) -> int:
        """When it may be removed."""
        return self.expires_at + MARK_KEPT_SECONDS


@dataclass(frozen=True, slots=True)
class Profile:
    """What a page shows of the person; all None if Webex would not say who it is."""

    person_id: str | None = None
    display_name: str | None = None
    email: str | None = None
    avatar: str | None = None
    org_id: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser.

    `digest` is the digest of its id; `browser` describes where it was begun, None if unknown. It
    ends at `expires_at`, and earlier if it is idle for too long.
    """

    digest: bytes
    grant_key: bytes
    profile: Profile
    created_at: int
    seen_at: int
    expires_at: int
    browser: str | None = None

    def is_live(self, now: int, idle_seconds: int) -> bool:
        """Check that the session is neither past its end nor idle for *idle_seconds*."""
        return now < self.expires_at and now < self._last_use(now) + idle_seconds

    def over_at(self, idle_seconds: int) -> int:
        """Return when it is over unless it is used again."""
        return min(self.expires_at, self.seen_at + idle_seconds)

    def is_touch_due(self, now: int, idle_seconds: int) -> bool:
        """Check whether its use should be written down now: at most once a minute."""
        return now - self.seen_at >= min(TOUCH_EVERY_SECONDS, idle_seconds // 10)

    def _last_use(self, now: int) -> int:
        """Return `seen_at`, or the session's start if a wrong clock wrote `seen_at`."""
        return self.created_at if self.seen_at > now + CLOCK_SKEW_SECONDS else self.seen_at


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that is gone; `revocation` was queued if its grant went with it."""

    grant_key: bytes
    revocation: "Revocation | None"


@dataclass(frozen=True, slots=True)
class Revocation:
    """Tokens that are gone from here and still have to be revoked at their server.

    They were the tokens of one version of a grant. `due_at` is when to try next; after `ends_at`
    there is nothing left to revoke.
    """

    grant_key: bytes
    version: int
    tokens: TokenSet
    ends_at: int | None
    due_at: int
    try_count: int = 0

    @property
    def name(self) -> bytes:
        """The name of its row, which orders revocations by grant."""
        return self.grant_key + self.version.to_bytes(8, "big")


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
