"""A grant in hand: its row, and what is sealed in it."""

from dataclasses import dataclass

from webex_oauth.secret import Secret
from webex_oauth.vault.grants import Grant
from webex_oauth.vault.records import GrantRecord, name_of_grant


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
