"""A lease outlives everything that is done under it."""

import pytest

from webex_oauth.vault.timing import Timing


@pytest.mark.check("B09")
def test_a_lease_that_ends_before_a_refresh_does_is_refused() -> None:
    with pytest.raises(ValueError, match="a lease of 27 s ends before a refresh of up to 27 s"):
        Timing(lease_seconds=27)


@pytest.mark.check("B09")
def test_a_longer_deadline_needs_a_longer_lease() -> None:
    assert Timing(lease_seconds=28).lease_seconds == 28

    with pytest.raises(ValueError, match="ends before"):
        Timing(lease_seconds=28, request_seconds=11.0)


def test_a_flight_has_time_for_waiting_and_two_refreshes() -> None:
    timing = Timing()

    assert timing.flight_seconds > timing.wait_seconds + 2 * timing.request_seconds
