"""A grant as pages show it: what was allowed, and how long it lasts."""

from webex_oauth.vault.grants import Grant
from webex_oauth.web.views import GrantInWords, ScopeInWords
from webex_oauth.webex.scopes import ROOMS_READ, describe, permits

WARNING_SECONDS = 7 * 86400
LAST_PART = 6


def grant_in_words(grant: Grant, requested: tuple[str, ...], now: int) -> GrantInWords:
    """Say what was allowed, what of *requested* was not, and how long it lasts."""
    tokens, end = grant.tokens, last_end(grant)
    asked_for = [scope for scope in requested if scope in grant.scopes]
    is_near = end is not None and now >= end - warning_seconds(grant, end)
    return GrantInWords(
        granted=tuple(map(in_words, (*asked_for, *sorted(grant.scopes.difference(asked_for))))),
        withheld=tuple(in_words(s) for s in requested if not permits(grant.scopes, s)),
        access_ends_at=tokens.access_expires_at,
        is_renewable=tokens.refresh_token is not None,
        renewable_until=tokens.refresh_expires_at,
        ends_soon_at=end if is_near else None,
        shows_spaces=permits(grant.scopes, ROOMS_READ),
        has_ended=grant.reauth_reason is not None or (end is not None and now >= end),
    )


def last_end(grant: Grant) -> int | None:
    """Say until when anything works without the person; None when that is not known."""
    tokens = grant.tokens
    if tokens.refresh_token is None:
        return tokens.access_expires_at
    if tokens.refresh_expires_at is None:
        return None
    return max(tokens.refresh_expires_at, tokens.access_expires_at or 0)


def warning_seconds(grant: Grant, end: int) -> int:
    """Say how long before its end a grant is warned of.

    A week, of a short life its last sixth: what keeps grants alive has acted long before.
    """
    return min(WARNING_SECONDS, max(0, end - grant.issued_at) // LAST_PART)


def in_words(scope: str) -> ScopeInWords:
    """Return what *scope* allows, as pages show it."""
    return ScopeInWords(scope, describe(scope))
