"""Back-off: how patiently a revocation is tried again."""

FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 6 * 3600
MAX_TRIES = 30


def wait_seconds(try_count: int, asked_seconds: int | None) -> int:
    """Say how long to wait after that many tries: twice as long each time, up to six hours.

    A server that says when to come back is believed where that is later.
    """
    doublings = min(max(try_count - 1, 0), MAX_TRIES)
    own = min(FIRST_WAIT_SECONDS << doublings, LONGEST_WAIT_SECONDS)
    return max(own, asked_seconds or 0)
