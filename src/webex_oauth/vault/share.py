"""A random share, to spread over time what would otherwise come together."""

from webex_oauth.ports import Randomness

SHARE_BYTES = 2
MOST = 0xFFFF


def random_share(randomness: Randomness) -> float:
    """Draw a number from 0 to 1, both included."""
    return int.from_bytes(randomness(SHARE_BYTES), "big") / MOST
