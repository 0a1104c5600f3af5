"""The clock runs, stops, moves, and goes back."""

import time

import pytest

from webex_oauth.emulator import MovableClock


def test_a_clock_runs_with_the_machine() -> None:
    before = int(time.time())

    now = MovableClock().now()

    assert before <= now <= int(time.time())


def test_a_stopped_clock_stands_where_it_was_stopped() -> None:
    clock = MovableClock(stopped_at=1_000)

    assert clock.now() == 1_000


def test_advancing_moves_a_stopped_clock_by_exactly_that() -> None:
    clock = MovableClock(stopped_at=1_000)

    assert clock.advance(60) == 1_060
    assert clock.advance(-10) == 1_050


def test_a_running_clock_can_be_set() -> None:
    clock = MovableClock()

    clock.set(2_000_000_000)

    assert 2_000_000_000 <= clock.now() <= 2_000_000_005


def test_reset_goes_back_to_how_the_clock_was_made() -> None:
    clock = MovableClock(stopped_at=1_000)
    clock.advance(60)

    clock.reset()

    assert clock.now() == 1_000


@pytest.mark.parametrize("seconds", [-(10**10), 10**12, 10**30])
def test_the_clock_keeps_to_years_that_calendars_have(seconds: int) -> None:
    clock = MovableClock(stopped_at=1_800_000_000)

    with pytest.raises(ValueError, match="1970 to 9999"):
        clock.advance(seconds)

    assert clock.now() == 1_800_000_000
