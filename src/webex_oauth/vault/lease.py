"""Who has the right to refresh a grant. Pure."""

from enum import Enum

from webex_oauth.vault.records import GrantRecord

LONGEST_LEASE_SECONDS = 60
"""No lease ends later than this from now. A wrong clock wrote one that does, and it has lapsed."""


class LeaseState(Enum):
    """Whose lease lies on a grant, as one process sees it.

    MINE is left from a refresh of this process that is over; LAPSED from a process that died or
    stands still.
    """

    NONE = "none"
    MINE = "mine"
    OTHER = "other"
    LAPSED = "lapsed"


def lease_state(record: GrantRecord, owner: bytes, now: int) -> LeaseState:
    """Look at the lease on *record* as *owner*."""
    if record.lease_owner is None:
        return LeaseState.NONE
    if record.lease_owner == owner:
        return LeaseState.MINE
    return LeaseState.OTHER if now < record.lease_until <= latest_end(now) else LeaseState.LAPSED


def latest_end(now: int) -> int:
    """Return when a lease ends that begins now, at the latest."""
    return now + LONGEST_LEASE_SECONDS


def seconds_left(record: GrantRecord, now: int) -> int:
    """Return how long the lease on *record* lasts unless it is renewed, at least a second."""
    return max(1, min(record.lease_until, latest_end(now)) - now)
