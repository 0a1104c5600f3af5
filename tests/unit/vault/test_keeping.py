"""When an unused grant is renewed."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from unit.vault.scripted import NOW, tokens

from webex_oauth.vault.grants import LONGEST_WAIT_SECONDS, keep_at

DAY_SECONDS = 86_400


@given(share=st.floats(0, 1), life_seconds=st.integers(1, 90 * DAY_SECONDS))
def test_a_grant_is_kept_after_half_to_two_thirds_of_its_refresh_tokens_life(
    share: float, life_seconds: int
) -> None:
    issued = replace(tokens(), refresh_expires_at=NOW + life_seconds)

    at = keep_at(issued, NOW, share)

    assert at is not None
    assert life_seconds // 2 <= at - NOW <= life_seconds * 2 / 3


@pytest.mark.parametrize(("share", "days"), [(0, 20), (1, 15)])
def test_a_refresh_token_of_unknown_life_is_used_within_a_month(share: float, days: int) -> None:
    issued = replace(tokens(), refresh_expires_at=None)

    assert keep_at(issued, NOW, share) == NOW + days * DAY_SECONDS


@pytest.mark.bound("wait until a grant is renewed")
def test_no_grant_waits_longer_than_sixty_days_to_be_kept() -> None:
    issued = replace(tokens(), refresh_expires_at=NOW + 400 * DAY_SECONDS)

    assert keep_at(issued, NOW, 0) == NOW + LONGEST_WAIT_SECONDS == NOW + 60 * DAY_SECONDS


def test_without_a_refresh_token_there_is_nothing_to_keep() -> None:
    assert keep_at(tokens(refresh=None), NOW, 0) is None


def test_a_refresh_token_that_is_over_is_due_at_once() -> None:
    issued = replace(tokens(), refresh_expires_at=NOW - 10)

    assert keep_at(issued, NOW, 0) == NOW
