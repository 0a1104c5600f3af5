"""Instants and durations in words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers

from webex_oauth.web.rendering import LATEST_INSTANT, duration_text, utc_datetime, utc_text


@settings(deadline=None)
@given(integers(0, LATEST_INSTANT))
def test_an_instant_reads_back(at: int) -> None:
    assert datetime.fromisoformat(utc_datetime(at)) == datetime.fromtimestamp(at, UTC)


@settings(deadline=None)
@given(integers())
def test_no_instant_is_too_far_to_be_written(at: int) -> None:
    assert utc_text(at).endswith(" UTC")
    assert utc_datetime(at).endswith("Z")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (120, "120 seconds"),
        (121, "3 minutes"),
        (3600, "60 minutes"),
        (7200, "120 minutes"),
        (7201, "3 hours"),
    ],
)
def test_a_wait_is_told_in_a_fitting_unit_and_never_too_short(seconds: int, words: str) -> None:
    assert duration_text(seconds) == words
