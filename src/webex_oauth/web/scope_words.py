"""Scopes as pages show them."""

from webex_oauth.web.views import ScopeInWords
from webex_oauth.webex.scopes import describe


def in_words(scope: str) -> ScopeInWords:
    """Say what *scope* allows."""
    return ScopeInWords(scope, describe(scope))
