"""The clock that a test and its processes share."""

from pathlib import Path

import pytest
from storm.clock_file import ClockFile

NOW = 1_800_000_000


@pytest.fixture
def clock(tmp_path: Path) -> ClockFile:
    """Give a clock that shows NOW."""
    clock = ClockFile(tmp_path / "clock")
    clock.set(NOW)
    return clock
