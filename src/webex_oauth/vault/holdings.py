"""Holdings: the grants as this process sees them, rescued tokens included."""

from webex_oauth.errors import ReauthReason
from webex_oauth.vault.context import VaultContext
from webex_oauth.vault.grants import open_grant
from webex_oauth.vault.held import Held
from webex_oauth.vault.records import GrantRecord


class Holdings:
    """Read grants."""

    def __init__(self, context: VaultContext) -> None:
        self._context = context

    async def find(self, key: bytes) -> Held | None:
        """Find a grant; None when it was ended."""
        record = await self._context.store.find_grant(key)
        return None if record is None else self._open(record)

    async def hold(self, key: bytes) -> Held:
        """Find a grant; raise ReauthRequired when it was ended."""
        record = await self._context.store.find_grant(key)
        if record is None:
            raise self._context.reauth(ReauthReason.GRANT_ENDED)
        return self._open(record)

    def _open(self, record: GrantRecord) -> Held:
        rescued = self._context.rescue.find(record)
        if rescued is not None:
            is_refused = self._context.refused.has(rescued)
            return Held(record, rescued, is_rescued=True, is_refused=is_refused)
        grant = open_grant(self._context.sealer, record)
        return Held(record, grant, is_refused=self._context.refused.has(grant))
