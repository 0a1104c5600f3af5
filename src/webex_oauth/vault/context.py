"""What everything in the vault that refreshes works with."""

from dataclasses import dataclass, field

from webex_oauth.errors import ReauthRequired
from webex_oauth.ports import Clock, Randomness
from webex_oauth.vault.refused import RefusedTokens
from webex_oauth.vault.rescue import Rescue
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.share import random_share
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

    def reauth(self, reason: str) -> ReauthRequired:
        """Say that the person is needed, why, and where."""
        return ReauthRequired(reason, self.sign_in_url)
