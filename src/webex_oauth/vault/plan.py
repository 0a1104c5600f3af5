"""The refresh plan: what to do for a caller who wants an access token. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from webex_oauth.errors import ReauthReason
from webex_oauth.secret import Secret
from webex_oauth.vault.cooldown import Cooling, is_cooling
from webex_oauth.vault.grants import Grant, Held
from webex_oauth.vault.records import GrantRecord

SOFT_EXPIRY_PERMILLE = 850
SOFT_EXPIRY_SPREAD_PERMILLE = 100
WRONG_CLOCK_SECONDS = 86_400
MOST_PRESENTATIONS = 2
RESCUE_SECONDS = 1
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


@dataclass(frozen=True, slots=True)
class Serve:
    """The token that is there will do."""

    access_token: Secret


@dataclass(frozen=True, slots=True)
class ServeAndRenew:
    """The token that is there will do, and it is time for the next one."""

    access_token: Secret


@dataclass(frozen=True, slots=True)
class Claim:
    """Refresh with this; `is_takeover` when somebody else may have presented it already."""

    refresh_token: Secret
    is_takeover: bool = False


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Give back the lease that an earlier refresh of this process left behind, and plan again."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody else is refreshing; their tokens, or the end of their lease, will come."""


@dataclass(frozen=True, slots=True)
class CoolDown:
    """Nobody refreshes just now."""

    cooling: Cooling


@dataclass(frozen=True, slots=True)
class Reauthorize:
    """No token can be had without the person; `is_written` when the row says so itself."""

    reason: str
    is_written: bool = False


Renewal: TypeAlias = Claim | TakeBack | Wait | CoolDown | Reauthorize
Plan: TypeAlias = Serve | ServeAndRenew | Renewal


@dataclass(frozen=True, slots=True)
class Situation:
    """What one process knows beside the row.

    `owner` is its name on leases; `is_rotating` says whether servers of which nothing was learned
    are taken for ones that rotate; `endpoint` is the cool-down of the token endpoint; `reason` is
    one that could not be written into the row.
    """

    now: int
    owner: bytes
    is_rotating: bool
    endpoint: Cooling | None = None
    reason: str | None = None


def plan(held: Held, situation: Situation, min_ttl_seconds: int) -> Plan:
    """Plan for a caller who needs a token good for *min_ttl_seconds*.

    Where no refresh is possible now, a token that lives less than that is better than none.
    """
    if is_fresh(held, situation.now, min_ttl_seconds):
        return Serve(held.access_token)
    renewal = plan_renewal(held, situation)
    if not held.lives(situation.now):
        return renewal
    if not isinstance(renewal, Claim | TakeBack):
        return Serve(held.access_token)
    if held.lives(situation.now + min_ttl_seconds):
        return ServeAndRenew(held.access_token)
    return renewal


def plan_renewal(held: Held, situation: Situation) -> Renewal:
    """Plan for a caller to whom the access token that is there is of no use.

    A refresh token that is over by the clock is presented all the same: the clock may be wrong,
    and only its server knows.
    """
    record, tokens, now = held.record, held.grant.tokens, situation.now
    lease = lease_state(record, situation.owner, now)
    if held.grant.reauth_reason is not None:
        return Reauthorize(held.grant.reauth_reason, is_written=True)
    if tokens.refresh_token is None:
        return Reauthorize(ReauthReason.REFRESH_TOKEN_MISSING)
    if held.is_rescued:
        return CoolDown(Cooling(now + RESCUE_SECONDS, is_throttled=False))
    if lease is LeaseState.OTHER:
        return Wait()
    if lease is LeaseState.MINE:
        return TakeBack()
    reason = situation.reason or _reason_in(held, situation)
    if reason is not None:
        return Reauthorize(reason)
    cooling = _cooling(record, now) or situation.endpoint
    if cooling is not None:
        return CoolDown(cooling)
    return Claim(tokens.refresh_token, is_takeover=lease is LeaseState.LAPSED)


def is_fresh(held: Held, now: int, min_ttl_seconds: int) -> bool:
    """Say whether there is nothing to do: the token lives, and so much that nobody renews yet."""
    return held.lives(now + min_ttl_seconds) and not _is_soft_expired(held, now)


def may_rotate(grant: Grant, *, default: bool) -> bool:
    """Say whether a refresh may spend the refresh token; *default* where nothing was learned."""
    return default if grant.rotates is None else grant.rotates


def lease_state(record: GrantRecord, owner: bytes, now: int) -> LeaseState:
    """Look at the lease on *record* as *owner*."""
    if record.lease_owner is None:
        return LeaseState.NONE
    if record.lease_owner == owner:
        return LeaseState.MINE
    return (
        LeaseState.OTHER if now < record.lease_until <= latest_lease_end(now) else LeaseState.LAPSED
    )


def latest_lease_end(now: int) -> int:
    """Return when a lease ends that begins now, at the latest."""
    return now + LONGEST_LEASE_SECONDS


def seconds_left(record: GrantRecord, now: int) -> int:
    """Return how long the lease on *record* lasts unless it is renewed, at least a second."""
    return max(1, min(record.lease_until, latest_lease_end(now)) - now)


def _is_soft_expired(held: Held, now: int) -> bool:
    """Check whether 85 to 95 percent of the access token's life are over, by its version.

    A token that was issued in the future was dated by a wrong clock, and so was its end.
    """
    expires_at, issued_at = held.grant.tokens.access_expires_at, held.grant.issued_at
    if issued_at > now + WRONG_CLOCK_SECONDS:
        return True
    if expires_at is None or issued_at == 0:
        return False
    # The end of a seal is as good as random, and every process reads the same.
    spread = int.from_bytes(held.record.sealed[-2:], "big") % (SOFT_EXPIRY_SPREAD_PERMILLE + 1)
    permille = SOFT_EXPIRY_PERMILLE + spread
    return (now - issued_at) * 1000 >= (expires_at - issued_at) * permille


def _reason_in(held: Held, situation: Situation) -> ReauthReason | None:
    is_spent = held.record.presented_count >= MOST_PRESENTATIONS
    if is_spent and may_rotate(held.grant, default=situation.is_rotating):
        return ReauthReason.REFRESH_AMBIGUOUS
    return None


def _cooling(record: GrantRecord, now: int) -> Cooling | None:
    if not is_cooling(record.retry_at, now):
        return None
    # Only a server that asked to wait leaves no failure behind.
    return Cooling(record.retry_at, is_throttled=record.failure_count == 0)
