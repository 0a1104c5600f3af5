"""Browsers that are signed in at the local Webex, so that they need not choose a person again."""

from dataclasses import dataclass

from webex_oauth.emulator.clock import MovableClock
from webex_oauth.emulator.randomness import Randomness
from webex_oauth.emulator.shelf import Shelf

_CAPACITY = 10_000


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """Who is signed in, and since when."""

    id: str
    person_uuid: str
    authenticated_at: int


class Browsers:
    """Remember signed-in browsers by the id in their cookie."""

    def __init__(self, clock: MovableClock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._session_by_id: Shelf[str, BrowserSession] = Shelf(_CAPACITY)

    def sign_in(self, person_uuid: str) -> BrowserSession:
        """Start a session."""
        session = BrowserSession(self._randomness.hex(24), person_uuid, self._clock.now())
        self._session_by_id.put(session.id, session)
        return session

    def find(self, session_id: str) -> BrowserSession | None:
        """Find a session."""
        return self._session_by_id.get(session_id)

    def sign_out(self, session_id: str) -> None:
        """End a session."""
        self._session_by_id.take(session_id)

    def clear(self) -> None:
        """End every session."""
        self._session_by_id.clear()
