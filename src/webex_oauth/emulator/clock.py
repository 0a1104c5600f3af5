"""The emulator's clock: it runs with the machine's clock and can be moved."""

import time

LAST_INSTANT = 253_402_300_799
"""The end of the year 9999."""


class MovableClock:
    """The time in whole seconds; it runs with the machine's clock unless stopped."""

    def __init__(self, *, stopped_at: int | None = None) -> None:
        self._initially_stopped_at = stopped_at
        self._stopped_at = stopped_at
        self._offset_seconds = 0

    def now(self) -> int:
        """Return the present instant in seconds since 1970."""
        if self._stopped_at is not None:
            return self._stopped_at
        return int(time.time()) + self._offset_seconds

    def advance(self, seconds: int) -> int:
        """Move the clock by *seconds*, backwards when negative; return the new instant.

        Raise `ValueError` rather than leave the years 1970 to 9999.
        """
        if not 0 <= self.now() + seconds <= LAST_INSTANT:
            raise ValueError("the clock shows instants of the years 1970 to 9999")
        if self._stopped_at is not None:
            self._stopped_at += seconds
        else:
            self._offset_seconds += seconds
        return self.now()

    def set(self, now: int) -> None:
        """Make the present instant *now*; a running clock goes on running from there."""
        self.advance(now - self.now())

    def reset(self) -> None:
        """Go back to how the clock was made."""
        self._stopped_at = self._initially_stopped_at
        self._offset_seconds = 0
