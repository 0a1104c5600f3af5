"""Errors of the store, and of what is sealed in it."""

from webex_oauth.errors.root import WebexOAuthError


class StoreError(WebexOAuthError):
    """The store failed."""

    remedy = "try again"


class StoreUnavailable(StoreError):
    """The store cannot answer right now."""

    remedy = "make sure that the store runs and can be reached; nothing is lost meanwhile"


class StoreConflict(StoreError):
    """A record moved on under its writer."""


class VaultError(WebexOAuthError):
    """Something sealed cannot be opened."""

    remedy = "see docs/keys.md"


class KeyUnavailable(VaultError):
    """The sealing key is missing, malformed or too widely readable; the message says what to do."""

    remedy = "put the key back: docs/keys.md"

    def __str__(self) -> str:
        return Exception.__str__(self)


class SealBroken(VaultError):
    """Sealed bytes that do not fit their place."""

    remedy = "put back the row, or the key that sealed it: docs/keys.md"
