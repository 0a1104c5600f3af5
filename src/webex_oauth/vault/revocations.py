"""Revocations: tokens that are gone from here and still have to be given back (RFC 7009)."""

from webex_oauth.oauth.token import TokenSet
from webex_oauth.vault.grants import grant_context, open_grant
from webex_oauth.vault.records import GrantRecord, RevocationRecord
from webex_oauth.vault.sealing import Context, Sealer


def revocation_of(record: GrantRecord, due_at: int) -> RevocationRecord:
    """Make what is to be revoked of a grant that is deleted or written over."""
    return RevocationRecord(record.key, record.version, record.sealed, record.ends_at, due_at)


def open_revocation(sealer: Sealer, record: RevocationRecord) -> TokenSet:
    """Open the tokens of *record*; raise SealBroken or KeyUnavailable."""
    return open_grant(sealer, _grant_of(record)).tokens


def revocation_context(record: RevocationRecord) -> Context:
    """Say what the seal of *record* is bound to: it is still the grant's."""
    return grant_context(_grant_of(record))


def _grant_of(record: RevocationRecord) -> GrantRecord:
    return GrantRecord(record.grant_key, record.version, record.sealed, None, record.ends_at)
