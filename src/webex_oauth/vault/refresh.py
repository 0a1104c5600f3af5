"""The refresh plan: what to do for a caller who wants an access token. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.grants import Grant


class ReauthReason(StrEnum):
    """Say why a person must sign in again."""

    GRANT_ENDED = "grant_ended"
    REFRESH_TOKEN_MISSING = "refresh_token_missing"  # noqa: S105 - the name of a reason
    REFRESH_TOKEN_EXPIRED = "refresh_token_expired"  # noqa: S105 - the name of a reason
    REFRESH_TOKEN_REFUSED = "refresh_token_refused"  # noqa: S105 - the name of a reason


@dataclass(frozen=True, slots=True)
class Serve:
    """The token that is there will do."""

    access_token: Secret


@dataclass(frozen=True, slots=True)
class RefreshNow:
    """A new token is needed, and this brings one."""

    refresh_token: Secret


@dataclass(frozen=True, slots=True)
class Reauthorize:
    """No token can be had without the person."""

    reason: str


Plan: TypeAlias = Serve | RefreshNow | Reauthorize


def plan(grant: Grant, now: int, min_ttl_seconds: int) -> Plan:
    """Plan for a caller who needs a token good for *min_ttl_seconds*.

    Where no refresh is possible, a token that lives less than that is better than none.
    """
    if grant.reauth_reason is not None:
        return Reauthorize(grant.reauth_reason)
    tokens = grant.tokens
    if lives(tokens, now + min_ttl_seconds):
        return Serve(tokens.access_token)
    renewal = plan_renewal(grant, now)
    if isinstance(renewal, Reauthorize) and lives(tokens, now):
        return Serve(tokens.access_token)
    return renewal


def plan_renewal(grant: Grant, now: int) -> RefreshNow | Reauthorize:
    """Plan for a caller to whom the access token that is there is of no use."""
    if grant.reauth_reason is not None:
        return Reauthorize(grant.reauth_reason)
    tokens = grant.tokens
    if tokens.refresh_token is None:
        return Reauthorize(ReauthReason.REFRESH_TOKEN_MISSING)
    if tokens.refresh_expires_at is not None and tokens.refresh_expires_at <= now:
        return Reauthorize(ReauthReason.REFRESH_TOKEN_EXPIRED)
    return RefreshNow(tokens.refresh_token)


def lives(tokens: TokenSet, at: int) -> bool:
    """Say whether the access token is good at that instant, as far as its server told."""
    return tokens.access_expires_at is None or at < tokens.access_expires_at
