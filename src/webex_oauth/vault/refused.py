"""Access tokens that the API refused: never handed out again, by any process on the store.

The row says so in its seal, whose version and lease stay as they are: a refresh under way is not
disturbed, and what it commits replaces the mark together with the token. What cannot be written is
remembered here.
"""

import logging
from dataclasses import replace

from webex_oauth.secret import Secret
from webex_oauth.vault.grants import Grant, Held, open_grant, seal_in_place
from webex_oauth.vault.records import digest
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.store import Store
from webex_oauth.vault.timing import COMMIT_TRIES

MOST_REMEMBERED = 10_000

log = logging.getLogger(__name__)


class RefusedTokens:
    """Know which access tokens were refused; remember the latest MOST_REMEMBERED of them."""

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer
        self._remembered: dict[bytes, None] = {}

    def has(self, grant: Grant) -> bool:
        """Check whether the access token of *grant* was refused."""
        return grant.is_access_refused or digest(grant.tokens.access_token) in self._remembered

    def remember(self, access_token: Secret) -> None:
        """Let this process hand out *access_token* no more."""
        self._remembered[digest(access_token)] = None
        if len(self._remembered) > MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    async def mark(self, held: Held) -> None:
        """Write into the row that the access token of *held* was refused.

        Does nothing where the row says so already, or has another token by now. Raises
        StoreError or VaultError.
        """
        record, grant = held.record, held.grant
        for _ in range(COMMIT_TRIES):
            if (
                held.is_rescued
                or grant.is_access_refused
                or not held.has(grant.tokens.access_token)
            ):
                return
            refused = replace(grant, is_access_refused=True)
            sealed = seal_in_place(self._sealer, refused, record)
            if await self._store.reseal(record, sealed):
                log.info(
                    "the API refused the access token of grant %(grant)s", {"grant": held.name}
                )
                return
            current = await self._store.find_grant(record.key)
            if current is None:
                return
            record, grant = current, open_grant(self._sealer, current)
