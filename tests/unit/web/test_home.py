"""How long a grant lasts, in words: warned of when the keeper has not done its work in time."""

import pytest

from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Grant
from webex_oauth.web.home import WARNING_SECONDS, grant_in_words

ISSUED_AT = 1_800_000_000
DAY_SECONDS = 86_400
LIFE_SECONDS = 90 * DAY_SECONDS

pytestmark = pytest.mark.check("B13")


def grant(
    *,
    access_seconds: int | None = 14 * DAY_SECONDS,
    refresh_seconds: int | None = LIFE_SECONDS,
    has_refresh_token: bool = True,
    reauth_reason: str | None = None,
) -> Grant:
    tokens = TokenSet(
        access_token=Secret("access"),
        access_expires_at=None if access_seconds is None else ISSUED_AT + access_seconds,
        refresh_token=Secret("refresh") if has_refresh_token else None,
        refresh_expires_at=None if refresh_seconds is None else ISSUED_AT + refresh_seconds,
        scopes=None,
    )
    return Grant("issuer", "alice", tokens, frozenset(), ISSUED_AT, reauth_reason=reauth_reason)


@pytest.mark.parametrize(
    ("one", "warned_from", "over_from"),
    [
        (grant(), LIFE_SECONDS - WARNING_SECONDS, LIFE_SECONDS),
        (
            grant(refresh_seconds=6 * DAY_SECONDS, access_seconds=60),
            5 * DAY_SECONDS,
            6 * DAY_SECONDS,
        ),
        (grant(refresh_seconds=60, access_seconds=120), 100, 120),
        (grant(has_refresh_token=False, access_seconds=3_600), 3_000, 3_600),
    ],
    ids=["90 days", "6 days", "the access token lives longer", "no refresh token"],
)
def test_the_last_week_or_sixth_is_warned_of(one: Grant, warned_from: int, over_from: int) -> None:
    words = {
        at: grant_in_words(one, (), ISSUED_AT + at)
        for at in (0, warned_from - 1, warned_from, over_from - 1, over_from)
    }

    warned = [at for at, said in words.items() if said.ends_soon_at is not None]
    assert warned == [warned_from, over_from - 1, over_from]
    assert [at for at, said in words.items() if said.has_ended] == [over_from]


@pytest.mark.parametrize(
    "one",
    [grant(refresh_seconds=None), grant(has_refresh_token=False, access_seconds=None)],
    ids=["refresh", "access"],
)
def test_an_unknown_end_is_not_warned_of(one: Grant) -> None:
    said = grant_in_words(one, (), ISSUED_AT + 10 * LIFE_SECONDS)

    assert (said.ends_soon_at, said.has_ended) == (None, False)


def test_a_grant_whose_renewal_was_refused_has_ended() -> None:
    said = grant_in_words(grant(reauth_reason="refresh_token_refused"), (), ISSUED_AT)

    assert said.has_ended
