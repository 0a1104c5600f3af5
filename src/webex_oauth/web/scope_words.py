"""Scopes as pages show them."""

from webex_oauth.vault.grants import Grant
from webex_oauth.web.views import GrantInWords, ScopeInWords
from webex_oauth.webex.scopes import describe, permits


def in_words(scope: str) -> ScopeInWords:
    """Say what *scope* allows."""
    return ScopeInWords(scope, describe(scope))


def grant_in_words(grant: Grant, requested: tuple[str, ...]) -> GrantInWords:
    """Say what was allowed, what of *requested* was not, and how long it lasts."""
    tokens = grant.tokens
    return GrantInWords(
        granted=tuple(in_words(scope) for scope in sorted(grant.scopes)),
        withheld=tuple(in_words(s) for s in requested if not permits(grant.scopes, s)),
        access_ends_at=tokens.access_expires_at,
        is_renewable=tokens.refresh_token is not None,
        renewable_until=tokens.refresh_expires_at,
    )
