"""A grant: what one person allowed, with the tokens that prove it."""

from dataclasses import dataclass

from webex_oauth.oauth.token import TokenSet
from webex_oauth.ports import random_share
from webex_oauth.secret import Secret
from webex_oauth.vault.records import GrantRecord, RevocationRecord, grant_key, name_of_grant
from webex_oauth.vault.sealing import Context, Envelope, Sealer

FIRST_VERSION_BYTES = 6
UNKNOWN_LIFE_SECONDS = 30 * 86_400
LONGEST_LIFE_SECONDS = 90 * 86_400
LONGEST_WAIT_SECONDS = LONGEST_LIFE_SECONDS * 2 // 3
"""No grant is kept later than this from now; a row that says so was written by a wrong clock."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant in plain.

    `scopes` are the granted ones. `issued_at` is when its tokens were asked for, 0 where that was
    not written down. `rotates` is what was learned of its server: True once a refresh brought
    another refresh token, False while it brings the same one, None before. `reauth_reason` is set
    once no refresh can help any more, `is_access_refused` once the API refused the access token.
    """

    issuer: str
    subject: str
    tokens: TokenSet
    scopes: frozenset[str]
    issued_at: int = 0
    rotates: bool | None = None
    reauth_reason: str | None = None
    is_access_refused: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A row and the grant in it.

    `is_rescued` says that the grant is newer than the row, `is_refused` that the API refused its
    access token.
    """

    record: GrantRecord
    grant: Grant
    is_rescued: bool = False
    is_refused: bool = False

    @property
    def access_token(self) -> Secret:
        """The access token."""
        return self.grant.tokens.access_token

    @property
    def name(self) -> str:
        """What a log calls it."""
        return name_of_grant(self.record.key)

    def has(self, access_token: Secret) -> bool:
        """Say whether *access_token* is the one that is there."""
        return self.access_token == access_token

    def lives(self, at: int) -> bool:
        """Check whether the access token is good at that instant, as far as is known."""
        if self.is_refused:
            return False
        expires_at = self.grant.tokens.access_expires_at
        return expires_at is None or at < expires_at


_ENVELOPE = Envelope(Grant)


def seal_grant(sealer: Sealer, grant: Grant, replacing: GrantRecord | None) -> GrantRecord:
    """Seal *grant* as the next version of *replacing*, or as a new row.

    A new row starts at a random version: a writer that still holds a version of a row deleted
    since can never match it.
    """
    key = grant_key(grant.issuer, grant.subject)
    version = _first_version(sealer) if replacing is None else replacing.version + 1
    return GrantRecord(
        key=key,
        version=version,
        sealed=_ENVELOPE.seal(sealer, grant, _context(key, version)),
        access_expires_at=grant.tokens.access_expires_at,
        ends_at=_end(grant.tokens),
        keep_at=_keep_at(sealer, grant),
    )


def seal_in_place(sealer: Sealer, grant: Grant, record: GrantRecord) -> bytes:
    """Seal *grant* for the version that *record* has already."""
    return _ENVELOPE.seal(sealer, grant, grant_context(record))


def open_grant(sealer: Sealer, record: GrantRecord) -> Grant:
    """Open *record*; raise SealBroken or KeyUnavailable."""
    return _ENVELOPE.open(sealer, record.sealed, grant_context(record))


def grant_context(record: GrantRecord) -> Context:
    """Say what the seal of *record* is bound to."""
    return _context(record.key, record.version)


def keep_at(tokens: TokenSet, issued_at: int, share: float) -> int | None:
    """Choose when to renew: after half to two thirds of the refresh token's life, as *share* says.

    *share* is a random number from 0 to 1; it spreads what was issued together. A life longer than
    LONGEST_LIFE_SECONDS counts as that long. None when there is no refresh token to use.
    """
    if tokens.refresh_token is None:
        return None
    life_seconds = _life_seconds(tokens, issued_at)
    return issued_at + int(life_seconds * (2 / 3 - share / 6))


def revocation_of(record: GrantRecord, due_at: int) -> RevocationRecord:
    """Make what is to be revoked of a grant that is deleted or written over."""
    return RevocationRecord(record.key, record.version, record.sealed, record.ends_at, due_at)


def open_revocation(sealer: Sealer, record: RevocationRecord) -> TokenSet:
    """Open the tokens of *record*; raise SealBroken or KeyUnavailable."""
    return open_grant(sealer, _grant_of(record)).tokens


def revocation_context(record: RevocationRecord) -> Context:
    """Say what the seal of *record* is bound to: it is still the grant's."""
    return grant_context(_grant_of(record))


def _keep_at(sealer: Sealer, grant: Grant) -> int | None:
    if grant.reauth_reason is not None:
        return None
    return keep_at(grant.tokens, grant.issued_at, random_share(sealer.randomness))


def _first_version(sealer: Sealer) -> int:
    return 1 + int.from_bytes(sealer.randomness(FIRST_VERSION_BYTES), "big")


def _end(tokens: TokenSet) -> int | None:
    if tokens.refresh_token is None:
        return tokens.access_expires_at
    if tokens.refresh_expires_at is None or tokens.access_expires_at is None:
        return None
    return max(tokens.access_expires_at, tokens.refresh_expires_at)


def _context(key: bytes, version: int) -> Context:
    return Context(kind="grant", row=(key,), field="grant", version=version)


def _life_seconds(tokens: TokenSet, issued_at: int) -> int:
    if tokens.refresh_expires_at is None:
        return UNKNOWN_LIFE_SECONDS
    return min(max(0, tokens.refresh_expires_at - issued_at), LONGEST_LIFE_SECONDS)


def _grant_of(record: RevocationRecord) -> GrantRecord:
    return GrantRecord(record.grant_key, record.version, record.sealed, None, record.ends_at)
