"""A grant: what one person allowed, the tokens that prove it, and how far its refresh has come."""

from dataclasses import dataclass, replace

from webex_oauth.oauth.token import TokenSet
from webex_oauth.ports import Randomness, random_share
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Revocation, grant_key, name_of_grant

FIRST_VERSION_BYTES = 6
UNKNOWN_LIFE_SECONDS = 30 * 86_400
LONGEST_LIFE_SECONDS = 90 * 86_400
LONGEST_WAIT_SECONDS = LONGEST_LIFE_SECONDS * 2 // 3
"""No grant is kept later than this from now; a row that says so was written by a wrong clock."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to refresh a grant: whose it is, and until when nobody else has it."""

    owner: bytes
    until: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """What refreshes that brought no tokens leave behind for the next one.

    How often this version's refresh token may have been presented without an answer, how often
    that failed in a row, and before when nobody tries again.
    """

    presented_count: int = 0
    failure_count: int = 0
    retry_at: int = 0


NO_TROUBLE = Trouble()


@dataclass(frozen=True, slots=True)
class Grant:
    """What one person allowed.

    `scopes` are the granted ones. `issued_at` is when its tokens were asked for, 0 if that was not
    written down. `version` grows whenever tokens or `reauth_reason` change. `rotates` is what was
    learned of its server: True once a refresh brought another refresh token, False while it brings
    the same one, None before. `reauth_reason` is set once no refresh can help any more,
    `is_access_refused` once the API refused the access token. From `keep_at` on the keeper renews
    it; None if there is nothing to renew. `lease` and `trouble` belong to this version's refresh.
    """

    issuer: str
    subject: str
    tokens: TokenSet
    scopes: frozenset[str]
    issued_at: int = 0
    version: int = 0
    rotates: bool | None = None
    reauth_reason: str | None = None
    is_access_refused: bool = False
    keep_at: int | None = None
    lease: Lease | None = None
    trouble: Trouble = NO_TROUBLE

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
