"""What every command does to its process before it serves."""

import gc
from collections.abc import Iterator

import pytest

from webex_oauth.cli.running import GARBAGE_THRESHOLDS, spare_collections


@pytest.fixture
def _garbage_collector() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("_garbage_collector")
def test_collections_leave_out_what_start_up_made() -> None:
    made_at_start = [[number] for number in range(1000)]

    spare_collections()

    assert gc.get_freeze_count() > len(made_at_start)
    assert gc.get_threshold() == GARBAGE_THRESHOLDS
    assert gc.isenabled()
