"""What everything in the vault that refreshes works with."""

from dataclasses import dataclass, field

from webex_oauth.errors import ReauthReason, ReauthRequired
from webex_oauth.ports import Clock, Randomness, random_share
from webex_oauth.vault.grants import Held, open_grant
from webex_oauth.vault.records import GrantRecord, name_of_grant
from webex_oauth.vault.refused import RefusedTokens
from webex_oauth.vault.rescue import Rescue
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.store import Store
from webex_oauth.vault.timing import Timing


@dataclass(frozen=True, slots=True)
class VaultContext:
    """Hold the vault's effects, its bounds, and where a person goes who is needed."""

    store: Store
    sealer: Sealer
    clock: Clock
    randomness: Randomness = field(repr=False)
    rescue: Rescue
    timing: Timing
    sign_in_url: str
    refused: RefusedTokens = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "refused", RefusedTokens(self.store, self.sealer))

    def share(self) -> float:
        """Draw a number from 0 to 1."""
        return random_share(self.randomness)

    async def find(self, key: bytes) -> Held | None:
        """Find a grant as this process sees it, rescued tokens included; None when it was ended."""
        record = await self.store.find_grant(key)
        return None if record is None else self._open(record)

    async def hold(self, key: bytes) -> Held:
        """Find a grant; raise ReauthRequired when it was ended."""
        held = await self.find(key)
        if held is None:
            raise self.reauth(ReauthReason.GRANT_ENDED, key)
        return held

    def reauth(self, reason: str, grant_key: bytes) -> ReauthRequired:
        """Return the error that says why the person is needed, where, and whose grant it is."""
        return ReauthRequired(reason, self.sign_in_url, grant=name_of_grant(grant_key))

    def _open(self, record: GrantRecord) -> Held:
        rescued = self.rescue.find(record)
        grant = rescued or open_grant(self.sealer, record)
        is_rescued, is_refused = rescued is not None, self.refused.has(grant)
        return Held(record, grant, is_rescued=is_rescued, is_refused=is_refused)
