"""What every flow works with."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

from webex_oauth.flows.bulkhead import Bulkhead
from webex_oauth.oauth.server import Client
from webex_oauth.ports import Clock, Randomness, Transport
from webex_oauth.secret import Secret
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.sealing import Sealer
from webex_oauth.webex.platform import Platform

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class FlowContext:
    """One integration at one Webex, its effects, and how long its sessions live.

    With `keeps_grants` a grant outlives the last session of its person. `api_bulkhead` bounds
    the calls of Webex's API that are under way at a time.
    """

    platform: Platform
    client: Client
    ledger: Ledger
    sealer: Sealer
    transport: Transport
    clock: Clock
    randomness: Randomness
    idle_seconds: int
    absolute_seconds: int
    keeps_grants: bool = False
    api_bulkhead: Bulkhead = field(default_factory=Bulkhead)

    def random_secret(self) -> Secret:
        """Return a secret of 256 bits, 43 characters of URL-safe base64."""
        return Secret(urlsafe_b64encode(self.randomness(SECRET_BYTES)).rstrip(b"=").decode())
