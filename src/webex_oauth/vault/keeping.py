"""Keeping: when a grant that nobody uses is renewed, so that its refresh token does not end."""

from enum import Enum

from webex_oauth.oauth.token import TokenSet

UNKNOWN_LIFE_SECONDS = 30 * 86_400
LONGEST_LIFE_SECONDS = 90 * 86_400
LONGEST_WAIT_SECONDS = LONGEST_LIFE_SECONDS * 2 // 3
"""No grant is kept later than this from now; a row that says so was written by a wrong clock."""


class Kept(Enum):
    """Say what became of a grant that was looked at to be kept.

    RENEWED: it has new tokens. NOT_DUE: it needs nothing now, or is gone. POSTPONED: it has to be
    tried again later. NEEDS_PERSON: no refresh can help, and it is not due any more.
    """

    RENEWED = "renewed"
    NOT_DUE = "not_due"
    POSTPONED = "postponed"
    NEEDS_PERSON = "needs_person"


def keep_at(tokens: TokenSet, issued_at: int, share: float) -> int | None:
    """Choose when to renew: after half to two thirds of the refresh token's life, as *share* says.

    *share* is a random number from 0 to 1; it spreads what was issued together. A life longer than
    LONGEST_LIFE_SECONDS counts as that long. None when there is no refresh token to use.
    """
    if tokens.refresh_token is None:
        return None
    life_seconds = _life_seconds(tokens, issued_at)
    return issued_at + int(life_seconds * (2 / 3 - share / 6))


def _life_seconds(tokens: TokenSet, issued_at: int) -> int:
    if tokens.refresh_expires_at is None:
        return UNKNOWN_LIFE_SECONDS
    return min(max(0, tokens.refresh_expires_at - issued_at), LONGEST_LIFE_SECONDS)
