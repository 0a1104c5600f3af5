"""A grant in hand: its row, and what is sealed in it."""

from dataclasses import dataclass

from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.grants import Grant
from webex_oauth.vault.records import GrantRecord


@dataclass(frozen=True, slots=True)
class Held:
    """Hold the row and the grant in it; `is_rescued` says that the grant is newer than the row."""

    record: GrantRecord
    grant: Grant
    is_rescued: bool = False

    @property
    def access_token(self) -> Secret:
        """The access token."""
        return self.grant.tokens.access_token

    @property
    def name(self) -> str:
        """What a log calls it."""
        return self.record.key.hex()[:12]

    def has(self, access_token: Secret) -> bool:
        """Say whether *access_token* is the one that is there."""
        return self.access_token == access_token

    def lives(self, at: int) -> bool:
        """Say whether the access token is good at that instant, as far as its server told."""
        return lives(self.grant.tokens, at)


def lives(tokens: TokenSet, at: int) -> bool:
    """Say whether the access token is good at that instant, as far as its server told."""
    return tokens.access_expires_at is None or at < tokens.access_expires_at
