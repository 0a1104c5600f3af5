"""Everything that the local Webex knows and its endpoints share."""

from collections.abc import Iterable

from webex_oauth.emulator.conditions import (
    BoundedDict,
    Conditions,
    MovableClock,
    Options,
    Randomness,
)
from webex_oauth.emulator.conversations import Conversations
from webex_oauth.emulator.faults import Faults
from webex_oauth.emulator.identity.devices import Devices
from webex_oauth.emulator.identity.integrations import (
    Integration,
    IntegrationRegistry,
    new_integration,
)
from webex_oauth.emulator.identity.sign_ins import SignIns
from webex_oauth.emulator.identity.tokens import Tokens
from webex_oauth.emulator.journal import Journal
from webex_oauth.emulator.origins import Origins
from webex_oauth.emulator.world import World, seeded_world

_RATE_WINDOWS = 10_000


class State(Conditions):
    """The world, the registrations, what is under way, and what a test has arranged."""

    def __init__(
        self,
        origins: Origins,
        *,
        world: World | None = None,
        clock: MovableClock | None = None,
        options: Options | None = None,
        integrations: Iterable[Integration] = (),
        randomness: Randomness | None = None,
        control_token: str = "",
    ) -> None:
        super().__init__(clock, randomness, options)
        self.origins = origins
        self.origin: str = origins.front_door.configured
        """Scheme, host and port of the front door: what applications know as Webex."""
        self.broker_origin: str = origins.broker.configured
        """Scheme, host and port of the identity broker, where people sign in."""
        self.control_token = control_token
        self.world: World = world or seeded_world(self.clock.now())
        """The people and their rooms."""
        registered = tuple(integrations) or (new_integration(self.randomness),)
        self.integrations: IntegrationRegistry = IntegrationRegistry(registered)
        """The registered integrations."""
        self.tokens: Tokens = Tokens(self)
        """The grants and tokens that are alive."""
        self.faults: Faults = Faults()
        """The script of what shall go wrong."""
        self.journal: Journal = Journal()
        """What was requested."""
        self._begin()

    def reset(self) -> None:
        """Forget what happened and what was arranged; keep the world and the registrations."""
        super().reset()
        for part in (self.tokens, self.faults, self.journal):
            part.clear()
        self.world.forget_changes()
        self._begin()

    def _begin(self) -> None:
        self.sign_ins: SignIns = SignIns(self, self.tokens)
        self.devices: Devices = Devices(self)
        self.conversations: Conversations = Conversations(self, self.world)
        """Who is in which room, and what they wrote."""
        self.rate_windows: BoundedDict[tuple[str, str], tuple[int, int]]
        self.rate_windows = BoundedDict(_RATE_WINDOWS)
