"""The token endpoint as the vault uses it: each refresh token is presented once, then judged.

A failure says what became of the refresh token, and when to try again. While the endpoint is in
trouble it cools down: this process leaves it alone.
"""

from msgspec import Struct

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
from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.oauth.token import TokenSet, read_token_response, refresh_request
from webex_oauth.ports import TOKEN_LIMITS, Limits, Transport
from webex_oauth.secret import Secret

LONGEST_BACKOFF_SECONDS = 300
SERVICE_UNAVAILABLE = 503
FIRST_SERVER_ERROR = 500


class Failure(Struct, frozen=True):
    """What a failed refresh means.

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


def judge(error: UpstreamError | TokenError) -> Failure:
    """Return what *error* means, which came of presenting a refresh token."""
    match error:
        case InvalidGrant():
            return Failure(is_final=True)
        case RateLimited():
            return Failure(
                is_throttled=True,
                concerns_all=True,
                retry_after_seconds=error.retry_after_seconds,
            )
        case ServerFailed():
            return Failure(
                is_ambiguous=error.status != SERVICE_UNAVAILABLE,
                concerns_all=error.status >= FIRST_SERVER_ERROR,
                retry_after_seconds=error.retry_after_seconds,
            )
        case DeadlineExceeded() | InvalidResponse():
            return Failure(is_ambiguous=True)
        case AnswerLost():
            return Failure(is_ambiguous=True, is_silence=True)
        case _:
            # Never sent, or refused before the refresh token was looked at (RFC 6749 section 5.2).
            return Failure()


class Cooling(Struct, frozen=True):
    """A time before which no refresh is tried; `is_throttled` if the server asked for it."""

    until: int
    is_throttled: bool

    def error(self, now: int) -> UpstreamError:
        """Return the error that tells a caller when to come back."""
        remaining_seconds = max(1, self.until - now)
        if self.is_throttled:
            return RateLimited(remaining_seconds)
        return RefreshPostponed("a refresh failed a moment ago", remaining_seconds)


def is_cooling(until: int, now: int) -> bool:
    """Check whether to wait. An end implausibly far ahead was written by a wrong clock: ignored."""
    return now < until <= now + 1 + LONGEST_WAIT_SECONDS


def retry_at(failure: Failure, failure_count: int, now: int, share: float) -> int:
    """Choose when to try again after the *failure_count*-th failure in a row.

    What the server asked for; else exponential back-off with jitter: *share*, a random number from
    0 to 1, spreads those who failed together over the second half of the time.
    """
    if failure.retry_after_seconds is not None:
        # The present second has begun already.
        return now + 1 + min(failure.retry_after_seconds, LONGEST_WAIT_SECONDS)
    longest_seconds = min(LONGEST_BACKOFF_SECONDS, 1 << min(failure_count - 1, 16))
    return now + max(1, round(longest_seconds * (1 + share) / 2))


class TokenEndpoint:
    """The token endpoint of one server, for the refresh tokens of one client."""

    def __init__(
        self,
        transport: Transport,
        server: AuthorizationServer,
        client: Client,
        deadline_seconds: float,
    ) -> None:
        self._transport = transport
        self._server = server
        self._client = client
        self._limits = Limits(deadline_seconds, TOKEN_LIMITS.max_body_bytes)
        self._has_rotated: bool | None = None
        self._cooling = Cooling(until=0, is_throttled=False)
        self._failure_count = 0

    @property
    def is_rotating(self) -> bool:
        """Whether a refresh has to be taken for one that spends its refresh token.

        If that is not known, it may, until a refresh here has brought the same token again.
        """
        stated = self._server.rotates_refresh_tokens
        return self._has_rotated is not False if stated is None else stated

    async def refresh(self, refresh_token: Secret, requested_at: int) -> TokenSet:
        """Present *refresh_token*, once; raises as `read_token_response` and `Transport.send`."""
        request = refresh_request(self._server, self._client, refresh_token)
        response = await self._transport.send(request, self._limits)
        tokens = read_token_response(self._server, response, requested_at)
        self.note_answer()
        new = tokens.refresh_token
        if new is not None:
            self._has_rotated = self._has_rotated is True or new != refresh_token
        return tokens

    def cooling(self, now: int) -> Cooling | None:
        """Return how long to leave the endpoint alone; None if it need not be."""
        return self._cooling if is_cooling(self._cooling.until, now) else None

    def note_failure(self, failure: Failure, now: int, share: float) -> None:
        """Start cooling down; failures of requests that left together count as one."""
        if not failure.concerns_all:
            return
        if not is_cooling(self._cooling.until, now):
            self._failure_count += 1
        until = retry_at(failure, self._failure_count, now, share)
        if until > self._cooling.until or not is_cooling(self._cooling.until, now):
            self._cooling = Cooling(until, failure.is_throttled)

    def note_answer(self) -> None:
        """Forget failures: the endpoint works."""
        self._failure_count = 0
