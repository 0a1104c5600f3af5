"""The sweeper: batch after batch until nothing is left, and then again after a while."""

import pytest
from unit.flows.workshop import Workshop

from webex_oauth.errors import StoreUnavailable
from webex_oauth.flows.sweeper import SWEEP_EVERY_SECONDS, Sweeper
from webex_oauth.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio


class TimeIsUp(Exception):
    """End a test."""


class DirtyStore(MemoryStore):
    """Have batches to sweep, one number for each; fail where it says None."""

    def __init__(self, *batches: int | None) -> None:
        super().__init__()
        self.batches = list(batches)

    async def sweep(self, *, now: int, idle_seconds: int) -> int:  # noqa: ARG002 - the protocol's
        batch = self.batches.pop(0)
        if batch is None:
            raise StoreUnavailable("down")
        return batch


async def pauses(store: DirtyStore) -> list[float]:
    """Run a sweeper until its store has nothing more to say; give its pauses."""
    seconds: list[float] = []

    async def sleep(pause_seconds: float) -> None:
        if not store.batches:
            raise TimeIsUp
        seconds.append(pause_seconds)

    with pytest.raises(TimeIsUp):
        await Sweeper(Workshop(store).context, sleep=sleep).run()
    return seconds


async def test_it_sweeps_until_nothing_is_left_and_then_rests() -> None:
    assert await pauses(DirtyStore(500, 500, 3, 0, 0)) == [
        *(SWEEP_EVERY_SECONDS, 0, 0, 0),
        SWEEP_EVERY_SECONDS,
    ]


async def test_a_store_that_is_down_is_left_until_the_next_time() -> None:
    assert await pauses(DirtyStore(None, 0)) == [SWEEP_EVERY_SECONDS, SWEEP_EVERY_SECONDS]
