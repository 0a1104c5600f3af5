"""Cool-down: what a failed refresh says of the refresh token, and when to try again."""

from dataclasses import dataclass

from webex_oauth.errors import (
    AnswerLost,
    DeadlineExceeded,
    InvalidGrant,
    InvalidResponse,
    RateLimited,
    RefreshPostponed,
    ServerFailed,
    TokenError,
    UpstreamError,
)
from webex_oauth.oauth.http import LONGEST_WAIT_SECONDS

LONGEST_BACKOFF_SECONDS = 300
SERVICE_UNAVAILABLE = 503
FIRST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Trouble:
    """Judge one failure.

    `is_final`: the server no longer accepts the refresh token. `is_ambiguous`: it may have been
    processed, so that a server which rotates may have spent it. `is_silence`: no answer came, and
    there is time to ask again at once. `is_throttled`: the server asked for exactly
    `retry_after_seconds`. `concerns_all`: it is the endpoint's trouble and not this grant's.
    """

    is_final: bool = False
    is_ambiguous: bool = False
    is_silence: bool = False
    is_throttled: bool = False
    concerns_all: bool = False
    retry_after_seconds: int | None = None


def judge(error: UpstreamError | TokenError) -> Trouble:
    """Judge what came of presenting a refresh token."""
    match error:
        case InvalidGrant():
            return Trouble(is_final=True)
        case RateLimited():
            return Trouble(
                is_throttled=True,
                concerns_all=True,
                retry_after_seconds=error.retry_after_seconds,
            )
        case ServerFailed():
            return Trouble(
                is_ambiguous=error.status != SERVICE_UNAVAILABLE,
                concerns_all=error.status >= FIRST_SERVER_ERROR,
                retry_after_seconds=error.retry_after_seconds,
            )
        case DeadlineExceeded() | InvalidResponse():
            return Trouble(is_ambiguous=True)
        case AnswerLost():
            return Trouble(is_ambiguous=True, is_silence=True)
        case _:
            # Never sent, or refused before the refresh token was looked at (RFC 6749 section 5.2).
            return Trouble()


@dataclass(frozen=True, slots=True)
class Cooling:
    """Wait until then; `is_throttled` when the server asked for it."""

    until: int
    is_throttled: bool

    def error(self, now: int) -> UpstreamError:
        """Tell a caller when to come back."""
        remaining_seconds = max(1, self.until - now)
        if self.is_throttled:
            return RateLimited(remaining_seconds)
        return RefreshPostponed("a refresh failed a moment ago", remaining_seconds)


def is_cooling(until: int, now: int) -> bool:
    """Check whether to wait; an end too far ahead is ignored."""
    return now < until <= latest_end(now)


def latest_end(now: int) -> int:
    """Return the latest end of a lease or a cool-down that begins now.

    A later one was written by a wrong clock and holds nobody up.
    """
    return now + 1 + LONGEST_WAIT_SECONDS


def retry_at(trouble: Trouble, failure_count: int, now: int, share: float) -> int:
    """Choose when to try again after the *failure_count*-th failure in a row.

    What the server asked for, else twice as long each time; *share* is a random number from 0 to
    1 that spreads those who failed together over the second half of that time.
    """
    if trouble.retry_after_seconds is not None:
        # The present second has begun already.
        return now + 1 + min(trouble.retry_after_seconds, LONGEST_WAIT_SECONDS)
    longest_seconds = min(LONGEST_BACKOFF_SECONDS, 1 << min(failure_count - 1, 16))
    return now + max(1, round(longest_seconds * (1 + share) / 2))


class EndpointCooldown:
    """Remember for this process that its token endpoint wants to be left alone by everybody."""

    def __init__(self) -> None:
        self._cooling = Cooling(until=0, is_throttled=False)
        self._failure_count = 0

    def cooling(self, now: int) -> Cooling | None:
        """Tell until when to leave the endpoint alone, if so."""
        return self._cooling if is_cooling(self._cooling.until, now) else None

    def note_failure(self, trouble: Trouble, now: int, share: float) -> None:
        """Start cooling down; failures of requests that left together count as one."""
        if not trouble.concerns_all:
            return
        if not is_cooling(self._cooling.until, now):
            self._failure_count += 1
        until = retry_at(trouble, self._failure_count, now, share)
        if until > self._cooling.until or not is_cooling(self._cooling.until, now):
            self._cooling = Cooling(until, trouble.is_throttled)

    def note_success(self) -> None:
        """Forget failures: the endpoint works."""
        self._failure_count = 0
