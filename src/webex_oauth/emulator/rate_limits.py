"""Rate limits: so many requests a minute for each access token and API."""

from webex_oauth.emulator.clock import MovableClock
from webex_oauth.emulator.options import Switchboard
from webex_oauth.emulator.shelf import Shelf

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
