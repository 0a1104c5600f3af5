"""Everything that the local Webex knows and its endpoints share."""

from collections.abc import Iterable

from webex_oauth.emulator.clock import MovableClock
from webex_oauth.emulator.faults import Faults
from webex_oauth.emulator.identity.integrations import Integration, IntegrationRegistry
from webex_oauth.emulator.identity.sign_ins import AuthorizationCodes, BrowserSession, Transactions
from webex_oauth.emulator.identity.tokens import Tokens
from webex_oauth.emulator.journal import Journal
from webex_oauth.emulator.options import Options, Switchboard
from webex_oauth.emulator.origins import Origins
from webex_oauth.emulator.randomness import Randomness
from webex_oauth.emulator.rate_limits import RateLimits
from webex_oauth.emulator.shelf import Shelf
from webex_oauth.emulator.world.people import Person
from webex_oauth.emulator.world.world import World

_BROWSERS = 10_000


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
        self.browsers: Shelf[str, BrowserSession] = Shelf(_BROWSERS)
        self.rate_limits = RateLimits(clock, self.switchboard)
        self.faults = Faults()
        self.journal = Journal()

    def sign_in_browser(self, person: Person) -> BrowserSession:
        """Start a session for a browser, so that it need not choose a person again."""
        session = BrowserSession(self.randomness.hex(24), person.uuid, self.clock.now())
        self.browsers.put(session.id, session)
        return session

    def reset(self) -> None:
        """Forget what happened and what was arranged; keep the world and the registrations."""
        self.clock.reset()
        self.switchboard.reset()
        for part in (
            self.transactions, self.codes, self.tokens, self.browsers,
            self.rate_limits, self.faults, self.journal,
        ):  # fmt: skip
            part.clear()
