"""What each failure of a refresh says about the refresh token."""

import pytest

from webex_oauth import errors
from webex_oauth.vault.cooldown import Trouble, judge

NOT_PROCESSED = Trouble()
AMBIGUOUS = Trouble(is_ambiguous=True)
SILENCE = Trouble(is_ambiguous=True, is_silence=True)
FAILED = Trouble(is_ambiguous=True, concerns_all=True)


@pytest.mark.check("B10", "B11", "B22")
@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (errors.RequestNotSent("no connection"), NOT_PROCESSED),
        (errors.InvalidClient("invalid_client"), NOT_PROCESSED),
        (errors.TokenRequestRefused("unauthorized_client"), NOT_PROCESSED),
        (errors.AnswerLost("reset"), SILENCE),
        (errors.DeadlineExceeded("10 s"), AMBIGUOUS),
        (errors.InvalidResponse("html"), AMBIGUOUS),
        (errors.ResponseTooLarge("huge"), AMBIGUOUS),
        (errors.ServerFailed(408), AMBIGUOUS),
        (errors.ServerFailed(500), FAILED),
        (errors.ServerFailed(502), FAILED),
        (errors.ServerFailed(504), FAILED),
        (errors.ServerFailed(503), Trouble(concerns_all=True)),
        (
            errors.ServerFailed(503, retry_after_seconds=9),
            Trouble(concerns_all=True, retry_after_seconds=9),
        ),
        (
            errors.RateLimited(7),
            Trouble(is_throttled=True, concerns_all=True, retry_after_seconds=7),
        ),
        (errors.InvalidGrant("invalid_grant"), Trouble(is_final=True)),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_failure_is_judged_by_its_type(
    error: errors.UpstreamError | errors.TokenError, trouble: Trouble
) -> None:
    assert judge(error) == trouble
