"""The refresh plan: what to do for a caller who wants an access token, and how long it may take.

Pure.
"""

from typing import TypeAlias

from msgspec import Struct

from webex_oauth.errors import ReauthReason
from webex_oauth.ports import TOKEN_LIMITS
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Grant, Lease, digest
from webex_oauth.vault.rows import Entry
from webex_oauth.vault.token_endpoint import Cooling, is_cooling

SOFT_EXPIRY_PERMILLE = 850
SOFT_EXPIRY_SPREAD_PERMILLE = 100
WRONG_CLOCK_SECONDS = 86_400
MOST_PRESENTATIONS = 2
RESCUE_SECONDS = 1
COMMIT_TRIES = 3
SPOOL_SECONDS = 1.0
CLOCK_SECONDS = 1
"""What a clock that counts whole seconds may be behind."""
LONGEST_LEASE_SECONDS = 60
"""No lease ends later than this from now. One that does was written by a wrong clock: lapsed."""


class Timing(Struct, frozen=True):
    """How long the steps of a refresh may take, in seconds.

    A lease lasts `lease_seconds` and is renewed every `beat_seconds` while its holder lives: it
    outlives a step that is held up. `takeover_seconds` is how long the next holder waits for tokens
    that the one before it may be about to write. `store_seconds` is what one call of a store takes
    at most, `look_again_seconds` how long a refusal waits for tokens that another process may be
    about to write, `wait_seconds` how long a caller waits for another process; it looks first after
    `first_poll_seconds`, then ever less often up to `last_poll_seconds`.
    """

    lease_seconds: int = 5
    beat_seconds: float = 1.0
    takeover_seconds: float = 1.5
    request_seconds: float = TOKEN_LIMITS.deadline_seconds
    store_seconds: float = 2.0
    look_again_seconds: float = 2.0
    wait_seconds: float = 2.0
    first_poll_seconds: float = 0.05
    last_poll_seconds: float = 0.5

    def __post_init__(self) -> None:
        renewal_seconds = self.beat_seconds + self.store_seconds + CLOCK_SECONDS
        if self.lease_seconds <= renewal_seconds:
            raise ValueError(
                f"a lease of {self.lease_seconds} s ends before a renewal that takes up to "
                f"{renewal_seconds:g} s"
            )

    @property
    def flight_seconds(self) -> float:
        """Everything at most: waiting, then two claims, the second for a replay."""
        return self.wait_seconds + 2 * (self.store_seconds + self._claim_seconds)

    @property
    def _claim_seconds(self) -> float:
        """From asking for the lease to the last write under it."""
        writing_seconds = 2 * COMMIT_TRIES * self.store_seconds
        before_seconds = 2 * self.store_seconds + self.takeover_seconds
        after_seconds = self.look_again_seconds + writing_seconds + SPOOL_SECONDS
        return before_seconds + self.request_seconds + after_seconds


class Held(Struct, frozen=True):
    """A grant as one process sees it.

    `entry` is what its row holds; `grant` is newer while tokens wait in the rescue. `is_refused`:
    the API refused its access token.
    """

    entry: Entry[Grant]
    grant: Grant
    is_refused: bool = False

    @property
    def is_rescued(self) -> bool:
        """Whether the grant is newer than its row."""
        return self.grant.version != self.entry.record.version

    @property
    def access_token(self) -> Secret:
        """The access token."""
        return self.grant.tokens.access_token

    def lives(self, at: int) -> bool:
        """Check whether the access token is good at that instant, as far as is known."""
        if self.is_refused:
            return False
        expires_at = self.grant.tokens.access_expires_at
        return expires_at is None or at < expires_at


class Situation(Struct, frozen=True):
    """What one process knows beside the row.

    `owner` is its name on leases. `is_rotating`: servers of which nothing was learned are taken for
    ones that rotate. `endpoint` is the cool-down of the token endpoint, `reason` one that could not
    be written into the row.
    """

    now: int
    owner: bytes
    is_rotating: bool
    endpoint: Cooling | None = None
    reason: str | None = None


class Serve(Struct, frozen=True):
    """The token that is there will do; if `renews`, it is also time for the next one."""

    access_token: Secret
    renews: bool = False


class Claim(Struct, frozen=True):
    """Refresh with this; `is_takeover` if another process may have presented it already."""

    refresh_token: Secret
    is_takeover: bool = False


class TakeBack(Struct, frozen=True):
    """Give back the lease that an earlier refresh of this process left behind, and plan again."""


class Wait(Struct, frozen=True):
    """Another process is refreshing; its tokens, or the end of its lease, will come."""


class Reauthorize(Struct, frozen=True):
    """No token can be had without the person; `is_written` if the row says so itself."""

    reason: str
    is_written: bool = False


Renewal: TypeAlias = Claim | TakeBack | Wait | Cooling | Reauthorize
Plan: TypeAlias = Serve | Renewal


def plan(held: Held, situation: Situation, min_ttl_seconds: int) -> Plan:
    """Plan for a caller who needs a token good for *min_ttl_seconds*.

    If no refresh is possible now, a token that lives less than that is better than none.
    """
    if is_fresh(held, situation.now, min_ttl_seconds):
        return Serve(held.access_token)
    renewal = plan_renewal(held, situation)
    if not held.lives(situation.now):
        return renewal
    if not isinstance(renewal, Claim | TakeBack):
        return Serve(held.access_token)
    if held.lives(situation.now + min_ttl_seconds):
        return Serve(held.access_token, renews=True)
    return renewal


def plan_renewal(held: Held, situation: Situation) -> Renewal:
    """Plan for a caller to whom the access token that is there is of no use.

    A refresh token that is over by the clock is presented all the same: the clock may be wrong,
    and only its server knows.
    """
    grant, now = held.grant, situation.now
    if grant.reauth_reason is not None:
        return Reauthorize(grant.reauth_reason, is_written=True)
    if grant.tokens.refresh_token is None:
        return Reauthorize(ReauthReason.REFRESH_TOKEN_MISSING)
    if held.is_rescued:
        return Cooling(now + RESCUE_SECONDS, is_throttled=False)
    if grant.lease is not None and grant.lease.owner == situation.owner:
        return TakeBack()
    if grant.lease is not None and lasts(grant.lease, now):
        return Wait()
    reason = situation.reason or _reason_in(grant, situation)
    if reason is not None:
        return Reauthorize(reason)
    cooling = _cooling(grant, now) or situation.endpoint
    if cooling is not None:
        return cooling
    return Claim(grant.tokens.refresh_token, is_takeover=grant.lease is not None)


def is_fresh(held: Held, now: int, min_ttl_seconds: int) -> bool:
    """Check that the token lives, and so long that it is not time to renew it."""
    return held.lives(now + min_ttl_seconds) and not _is_soft_expired(held.grant, now)


def may_rotate(grant: Grant, *, default: bool) -> bool:
    """Check whether a refresh may spend the refresh token; *default* if nothing was learned."""
    return default if grant.rotates is None else grant.rotates


def lasts(lease: Lease, now: int) -> bool:
    """Check that a lease has not lapsed; it has if a process died, or stood still."""
    return now < lease.until <= now + LONGEST_LEASE_SECONDS


def seconds_left(lease: Lease | None, now: int) -> int:
    """Return how long a lease lasts unless it is renewed, at least a second."""
    left = 0 if lease is None else min(lease.until - now, LONGEST_LEASE_SECONDS)
    return max(1, left)


def _is_soft_expired(grant: Grant, now: int) -> bool:
    """Check whether 85 to 95 percent of the access token's life are over, by its version.

    A token that was issued in the future was dated by a wrong clock, and so was its end.
    """
    expires_at, issued_at = grant.tokens.access_expires_at, grant.issued_at
    if issued_at > now + WRONG_CLOCK_SECONDS:
        return True
    if expires_at is None:
        return False
    age, life = (now - issued_at) * 1000, expires_at - issued_at
    if age < life * SOFT_EXPIRY_PERMILLE:
        return False
    # A digest is as good as random, and every process computes the same.
    random = int.from_bytes(digest(grant.tokens.access_token)[-2:], "big")
    return age >= life * (SOFT_EXPIRY_PERMILLE + random % (SOFT_EXPIRY_SPREAD_PERMILLE + 1))


def _reason_in(grant: Grant, situation: Situation) -> ReauthReason | None:
    is_spent = grant.trouble.presented_count >= MOST_PRESENTATIONS
    if is_spent and may_rotate(grant, default=situation.is_rotating):
        return ReauthReason.REFRESH_AMBIGUOUS
    return None


def _cooling(grant: Grant, now: int) -> Cooling | None:
    trouble = grant.trouble
    if not is_cooling(trouble.retry_at, now):
        return None
    # Only a server that asked to wait leaves no failure behind.
    return Cooling(trouble.retry_at, is_throttled=trouble.failure_count == 0)
