"""How long a session lives."""

from dataclasses import replace

import pytest

from webex_oauth.vault.records import SessionRecord
from webex_oauth.vault.sessions import is_live, is_touch_due

NOW = 1_800_000_000
IDLE_SECONDS = 1_800
RECORD = SessionRecord(
    digest=b"d" * 32,
    grant_key=b"g" * 32,
    sealed=b"",
    created_at=NOW,
    seen_at=NOW,
    expires_at=NOW + 28_800,
)


@pytest.mark.parametrize(
    ("seen_after", "asked_after", "expected"),
    [
        (0, 0, True),
        (0, IDLE_SECONDS - 1, True),
        (0, IDLE_SECONDS, False),
        (0, IDLE_SECONDS + 1, False),
        (1_000, IDLE_SECONDS + 999, True),
        (1_000, IDLE_SECONDS + 1_000, False),
        (28_799, 28_799, True),
        (28_799, 28_800, False),
        (28_800, 28_801, False),
        (0, -60, True),
    ],
)
def test_a_session_lives_while_it_is_used_and_until_its_end(
    seen_after: int, asked_after: int, *, expected: bool
) -> None:
    record = replace(RECORD, seen_at=NOW + seen_after)

    assert is_live(record, NOW + asked_after, IDLE_SECONDS) is expected


@pytest.mark.parametrize("ahead", [61, 28_800, 400 * 86_400, 2**36])
def test_a_session_that_was_seen_in_the_future_counts_from_its_sealed_start(ahead: int) -> None:
    early, late = NOW + IDLE_SECONDS - 1, NOW + IDLE_SECONDS

    assert is_live(replace(RECORD, seen_at=early + ahead), early, IDLE_SECONDS)
    assert not is_live(replace(RECORD, seen_at=late + ahead), late, IDLE_SECONDS)


def test_a_clock_that_is_a_minute_ahead_may_have_seen_a_session() -> None:
    used_at = NOW + 2 * IDLE_SECONDS

    assert is_live(replace(RECORD, seen_at=used_at + 60), used_at, IDLE_SECONDS)


@pytest.mark.parametrize(
    ("after", "idle_seconds", "expected"),
    [(59, 1_800, False), (60, 1_800, True), (0, 1_800, False), (10, 100, True), (9, 100, False)],
)
def test_use_is_written_down_once_a_minute_or_ten_times_before_it_counts_as_idle(
    after: int, idle_seconds: int, *, expected: bool
) -> None:
    assert is_touch_due(RECORD, NOW + after, idle_seconds) is expected
