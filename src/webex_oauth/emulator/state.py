"""Everything that the local Webex knows and its endpoints share."""

from collections.abc import Iterable

from webex_oauth.emulator.clock import MovableClock
from webex_oauth.emulator.faults import Faults
from webex_oauth.emulator.identity.browsers import Browsers
from webex_oauth.emulator.identity.codes import AuthorizationCodes
from webex_oauth.emulator.identity.integrations import Integration, IntegrationRegistry
from webex_oauth.emulator.identity.tokens import Tokens
from webex_oauth.emulator.identity.transactions import Transactions
from webex_oauth.emulator.journal import Journal
from webex_oauth.emulator.options import Options, Switchboard
from webex_oauth.emulator.origins import Origins
from webex_oauth.emulator.randomness import Randomness
from webex_oauth.emulator.rate_limits import RateLimits
from webex_oauth.emulator.world.world import World


class State:
    """The world, the registrations, what is under way, and what testers have arranged."""

    def __init__(
        self,
        origins: Origins,
        *,
        world: World,
        clock: MovableClock,
        randomness: Randomness,
        options: Options,
        integrations: Iterable[Integration],
    ) -> None:
        self.origins = origins
        self.world = world
        self.clock = clock
        self.randomness = randomness
        self.switchboard = Switchboard(options)
        self.integrations = IntegrationRegistry(integrations)
        self.transactions = Transactions(clock, randomness, self.switchboard)
        self.codes = AuthorizationCodes(clock, randomness, self.switchboard)
        self.tokens = Tokens(clock, randomness, self.switchboard)
        self.browsers = Browsers(clock, randomness)
        self.rate_limits = RateLimits(clock, self.switchboard)
        self.faults = Faults()
        self.journal = Journal()

    def reset(self) -> None:
        """Forget what happened and what was arranged; keep the world and the registrations."""
        self.clock.reset()
        self.switchboard.reset()
        for part in (
            self.transactions, self.codes, self.tokens, self.browsers,
            self.rate_limits, self.faults, self.journal,
        ):  # fmt: skip
            part.clear()
