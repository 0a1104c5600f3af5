"""A lease outlives a renewal that is held up."""

import pytest

from webex_oauth.vault.timing import Timing


@pytest.mark.check("B09")
def test_a_lease_that_may_end_before_it_is_renewed_is_refused() -> None:
    with pytest.raises(ValueError, match="a lease of 4 s ends before a renewal that takes up to 4"):
        Timing(lease_seconds=4)

    with pytest.raises(ValueError, match="ends before"):
        Timing(lease_seconds=5, beat_seconds=2.0)


def test_a_flight_has_time_for_waiting_and_two_refreshes() -> None:
    timing = Timing()

    assert timing.flight_seconds > timing.wait_seconds + 2 * timing.request_seconds
