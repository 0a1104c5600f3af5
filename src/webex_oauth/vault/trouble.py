"""Trouble: what a failed refresh says about the refresh token, and when to try again. Pure."""

from dataclasses import dataclass

from webex_oauth.errors import (
    AnswerLost,
    DeadlineExceeded,
    InvalidGrant,
    InvalidResponse,
    RateLimited,
    ServerFailed,
    TokenError,
    UpstreamError,
)

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
