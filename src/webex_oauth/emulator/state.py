"""Everything that the local Webex knows and its endpoints share."""

from collections.abc import Iterable

from webex_oauth.emulator.conditions import MovableClock, Options, Randomness, Switchboard
from webex_oauth.emulator.faults import Faults
from webex_oauth.emulator.identity.integrations import Integration, IntegrationRegistry
from webex_oauth.emulator.identity.sign_ins import AuthorizationCodes, BrowserSession, Transactions
from webex_oauth.emulator.identity.tokens import Tokens
from webex_oauth.emulator.journal import Journal
from webex_oauth.emulator.origins import Origins
from webex_oauth.emulator.shelf import Shelf
from webex_oauth.emulator.world import Person, World

WINDOW_SECONDS = 60
_CAPACITY = 10_000


class RateLimits:
    """Count requests in windows of one minute, which begin with their first request."""

    def __init__(self, clock: MovableClock, switchboard: Switchboard) -> None:
        self._clock = clock
        self._switchboard = switchboard
        self._window_by_key: Shelf[tuple[str, str], tuple[int, int]] = Shelf(_CAPACITY)

    def seconds_to_wait(self, token: str, api: str) -> int:
        """Count a request; return 0, or the seconds until the next one is welcome."""
        limit = self._switchboard.options.requests_per_minute
        if not limit:
            return 0
        now = self._clock.now()
        begun_at, count = self._window_by_key.get((token, api)) or (now, 0)
        if not begun_at <= now < begun_at + WINDOW_SECONDS:
            begun_at, count = now, 0
        self._window_by_key.put((token, api), (begun_at, count + 1))
        return 0 if count < limit else begun_at + WINDOW_SECONDS - now

    def clear(self) -> None:
        """Forget every count."""
        self._window_by_key.clear()


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
