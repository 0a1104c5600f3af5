"""Patience: how a caller waits for what another process is doing."""

import asyncio

from webex_oauth.errors import RefreshPostponed
from webex_oauth.vault.timing import Timing


class Patience:
    """Pause ever longer, until it is over; measured by the loop's clock, which never steps."""

    def __init__(self, timing: Timing) -> None:
        self._give_up_at = _now() + timing.wait_seconds
        self._pause_seconds = timing.first_poll_seconds
        self._last_seconds = timing.last_poll_seconds

    async def pause(self, retry_after_seconds: int) -> None:
        """Wait before the next look; raise RefreshPostponed when it lasts too long."""
        if _now() >= self._give_up_at:
            raise RefreshPostponed("another process is refreshing", retry_after_seconds)
        await asyncio.sleep(self._pause_seconds)
        self._pause_seconds = min(2 * self._pause_seconds, self._last_seconds)


def _now() -> float:
    return asyncio.get_running_loop().time()
