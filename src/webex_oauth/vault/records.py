"""Records: what the ledger keeps of sign-ins, sessions, grants and tokens to revoke.

Each is sealed whole. Instants are seconds since 1970; digests and keys of grants are 32 bytes.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from webex_oauth.errors import AttemptForeign, VaultError
from webex_oauth.oauth.token import TokenSet
from webex_oauth.ports import Randomness, random_share
from webex_oauth.secret import Secret
from webex_oauth.vault.sealing import Context, Envelope, Sealer

KEY_BYTES = 32
MARK_KEPT_SECONDS = 600
"""How long a second delivery of a callback is recognised after its attempt has expired."""
TOUCH_EVERY_SECONDS = 60
CLOCK_SKEW_SECONDS = 60
"""How far the clocks of two machines on one store are apart at most."""
FIRST_VERSION_BYTES = 6
UNKNOWN_LIFE_SECONDS = 30 * 86_400
LONGEST_LIFE_SECONDS = 90 * 86_400
LONGEST_WAIT_SECONDS = LONGEST_LIFE_SECONDS * 2 // 3
"""No grant is kept later than this from now; a row that says so was written by a wrong clock."""


class Mark(Struct, frozen=True):
    """A state that was taken: its sign-in is under way, or is finished.

    `session_digest` is the session that it brought, None if it failed, and empty if it brought a
    grant alone.
    """

    expires_at: int
    is_finished: bool = False
    session_digest: bytes | None = None

    @property
    def kept_until(self) -> int:
        """When it may be removed."""
        return self.expires_at + MARK_KEPT_SECONDS


class Profile(Struct, frozen=True):
    """What is shown of the person; all None if Webex would not say who it is."""

    person_id: str | None = None
    display_name: str | None = None
    email: str | None = None
    avatar: str | None = None
    org_id: str | None = None


class Session(Struct, frozen=True):
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


class EndedSession(Struct, frozen=True):
    """A session that is gone; `revocation` was queued if its grant went with it.

    `is_held` if the grant stays because it is held.
    """

    grant_key: bytes
    revocation: "Revocation | None"
    is_held: bool = False


class Revocation(Struct, frozen=True):
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


class Lease(Struct, frozen=True):
    """The right to refresh a grant: its owner, and until when no other process has it."""

    owner: bytes
    until: int


class Trouble(Struct, frozen=True):
    """What refreshes that brought no tokens leave behind for the next one.

    How often this version's refresh token may have been presented without an answer, how often
    that failed in a row, and when it may be tried again.
    """

    presented_count: int = 0
    failure_count: int = 0
    retry_at: int = 0


NO_TROUBLE = Trouble()


class Grant(Struct, frozen=True):
    """What one person allowed.

    `scopes` are the granted ones. `issued_at` is when its tokens were asked for. `version` grows
    whenever tokens or `reauth_reason` change. `rotates` is what was learned of its server: True
    once a refresh brought another refresh token, False while it brings the same one, None before.
    `reauth_reason` is set once no refresh can help any more, `is_access_refused` once the API
    refused the access token. From `keep_at` on the keeper renews it; None if there is nothing to
    renew. `lease` and `trouble` belong to this version's refresh. `profile` is how Webex described
    the person at the sign-in. A grant that `is_held` was kept for the program and not for a
    browser: it outlives every session.
    """

    issuer: str
    subject: str
    tokens: TokenSet
    scopes: frozenset[str]
    issued_at: int
    version: int = 0
    rotates: bool | None = None
    reauth_reason: str | None = None
    is_access_refused: bool = False
    keep_at: int | None = None
    lease: Lease | None = None
    trouble: Trouble = NO_TROUBLE
    profile: Profile = Profile()
    is_held: bool = False

    @property
    def key(self) -> bytes:
        """The name of its row."""
        return grant_key(self.issuer, self.subject)

    @property
    def name(self) -> str:
        """What logs call it."""
        return name_of_grant(self.key)

    @property
    def ends_at(self) -> int | None:
        """When the last of its tokens ends; None if the server did not say."""
        tokens = self.tokens
        if tokens.refresh_token is None:
            return tokens.access_expires_at
        if tokens.refresh_expires_at is None or tokens.access_expires_at is None:
            return None
        return max(tokens.access_expires_at, tokens.refresh_expires_at)

    @property
    def due_at(self) -> int | None:
        """When the keeper looks at it next."""
        return None if self.keep_at is None else max(self.keep_at, self.trouble.retry_at)

    def has(self, access_token: Secret) -> bool:
        """Check whether *access_token* is the one that it holds."""
        return self.tokens.access_token == access_token


def new_version(grant: Grant, replacing: Grant | None, randomness: Randomness) -> Grant:
    """Return *grant* as the version after *replacing*, due to be kept and under no lease.

    The first version is random: a writer that still holds a version of a row deleted since can
    never match it.
    """
    first = 1 + int.from_bytes(randomness(FIRST_VERSION_BYTES), "big")
    return replace(
        grant,
        version=first if replacing is None else replacing.version + 1,
        keep_at=(
            None
            if grant.reauth_reason
            else keep_at(grant.tokens, grant.issued_at, random_share(randomness))
        ),
        lease=None,
        trouble=NO_TROUBLE,
    )


def keep_at(tokens: TokenSet, issued_at: int, share: float) -> int | None:
    """Choose when to renew: after half to two thirds of the refresh token's life, as *share* says.

    *share* is a random number from 0 to 1; it spreads what was issued together. A life longer than
    LONGEST_LIFE_SECONDS counts as that long. None if there is no refresh token to use.
    """
    if tokens.refresh_token is None:
        return None
    return issued_at + int(_life_seconds(tokens, issued_at) * (2 / 3 - share / 6))


def revocation_of(grant: Grant, due_at: int) -> Revocation:
    """Return what is to be revoked of a grant that is deleted or written over."""
    return Revocation(grant.key, grant.version, grant.tokens, grant.ends_at, due_at)


def _life_seconds(tokens: TokenSet, issued_at: int) -> int:
    if tokens.refresh_expires_at is None:
        return UNKNOWN_LIFE_SECONDS
    return min(max(0, tokens.refresh_expires_at - issued_at), LONGEST_LIFE_SECONDS)


class Attempt(Struct, frozen=True, array_like=True):
    """What a sign-in must remember between the way to Webex and the way back.

    It is in no store, but sealed in a cookie of the browser that began it, and bound to its state.
    `terms` are what `digest_of_terms` returns, `scopes` what it asks for beyond the integration's
    own. It can be completed before `expires_at`.
    """

    verifier: Secret
    return_to: str
    terms: bytes
    expires_at: int
    scopes: tuple[str, ...] = ()


_ENVELOPE = Envelope(Attempt)


def digest_of_terms(issuer: str, redirect_uri: str, scopes: Collection[str]) -> bytes:
    """Hash whom a sign-in asks, and for what.

    Browsers drop a cookie of more than 4 KiB, and a list of scopes may be that long by itself.
    """
    terms = "\n".join((issuer, redirect_uri, *sorted(scopes)))
    return hashlib.sha256(terms.encode()).digest()


def seal_attempt(sealer: Sealer, attempt: Attempt, state_digest: bytes) -> Secret:
    """Seal *attempt* for the cookie of its browser: URL-safe base64 without padding."""
    sealed = _ENVELOPE.seal(sealer, attempt, _context(state_digest))
    return Secret(urlsafe_b64encode(sealed).rstrip(b"=").decode())


def open_attempt(sealer: Sealer, cookie: Secret | None, state_digest: bytes) -> Attempt:
    """Open the cookie that a browser presents for a state.

    Raises AttemptForeign if it presents none, or one that was not sealed for this state.
    """
    if cookie is None:
        raise AttemptForeign("the browser has no cookie of this attempt")
    text = cookie.reveal()
    try:
        sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return _ENVELOPE.open(sealer, sealed, _context(state_digest))
    except (ValueError, VaultError) as error:
        raise AttemptForeign("the browser's cookie is not of this attempt") from error


def _context(state_digest: bytes) -> Context:
    return Context(kind="attempt", name=state_digest)
