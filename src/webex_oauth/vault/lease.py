"""Who has the right to refresh a grant just now. Pure."""

from enum import Enum

from webex_oauth.vault.cooldown import is_cooling
from webex_oauth.vault.records import GrantRecord


class LeaseState(Enum):
    """Say whose lease lies on a grant, as one process sees it.

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
    return LeaseState.OTHER if is_cooling(record.lease_until, now) else LeaseState.LAPSED
