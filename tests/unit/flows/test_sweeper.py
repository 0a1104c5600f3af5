"""The sweeper removes what is over, batch after batch, by a clock that has proved steady."""

from collections.abc import Callable

import pytest
from unit.flows.workshop import NOW, Workshop

from webex_oauth.errors import StoreUnavailable
from webex_oauth.flows.sweeper import SWEEP_EVERY_SECONDS, WITNESS_SECONDS, Sweeper
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.grants import LONGEST_WAIT_SECONDS

pytestmark = pytest.mark.anyio

DAY = 86_400
ROUNDS_OF_WITNESS = round(WITNESS_SECONDS / SWEEP_EVERY_SECONDS)


class TimeIsUp(Exception):
    """End a test."""


class SweptStore(MemoryStore):
    """Note each sweep, and have batches to sweep: a number for each; fail where it says None."""

    def __init__(self, *batches: int | None) -> None:
        super().__init__()
        self.batches = list(batches)
        self.swept_until: list[int] = []
        self.waits_until: set[int] = set()

    async def sweep(self, *, now: int, idle_seconds: int) -> int:  # noqa: ARG002 - the protocol's
        self.swept_until.append(now)
        batch = self.batches.pop(0) if self.batches else 0
        if batch is None:
            raise StoreUnavailable("down")
        return batch

    async def shorten_waits(self, *, now: int, latest: int) -> None:
        self.waits_until.add(latest - now)


async def sweep(
    store: SweptStore,
    rounds: int,
    *,
    steps: dict[int, int] | None = None,
    restarts: Callable[[int], bool] = lambda _: False,
) -> Workshop:
    """Run a sweeper for some rounds; the clock steps in some of them, the process in others."""
    workshop = Workshop(store)
    steady = 0.0
    done = 0

    async def sleep(seconds: float) -> None:
        nonlocal steady, done
        if seconds:
            done += 1
            if done > rounds or restarts(done):
                raise TimeIsUp
        steady += seconds
        workshop.now += int(seconds) + ((steps or {}).get(done, 0) if seconds else 0)

    while done <= rounds:
        with pytest.raises(TimeIsUp):
            await Sweeper(
                workshop.context, workshop.sessions, sleep=sleep, monotonic=lambda: steady
            ).run()
    return workshop


@pytest.mark.bound("time before anything is removed")
@pytest.mark.check("H13")
async def test_nothing_is_removed_before_the_clock_has_proved_steady() -> None:
    store = SweptStore()

    await sweep(store, ROUNDS_OF_WITNESS - 1)

    assert store.swept_until == []


async def test_what_was_over_when_the_clock_began_to_prove_itself_is_removed() -> None:
    store = SweptStore(500, 500, 3)

    await sweep(store, ROUNDS_OF_WITNESS)

    assert store.swept_until == [NOW] * 4


@pytest.mark.check("H13")
@pytest.mark.parametrize("step", [61, 7 * DAY, 400 * DAY, -400 * DAY])
async def test_a_clock_that_stepped_has_to_prove_itself_again(step: int) -> None:
    store = SweptStore()

    await sweep(store, 2 * ROUNDS_OF_WITNESS - 2, steps={ROUNDS_OF_WITNESS - 1: step})

    assert store.swept_until == []


@pytest.mark.check("H13")
async def test_a_clock_that_is_wrong_when_the_process_starts_removes_nothing() -> None:
    store = SweptStore()

    await sweep(store, 2 * ROUNDS_OF_WITNESS - 2, steps={1: 400 * DAY, 30: -400 * DAY})

    assert max(store.swept_until, default=NOW) <= NOW + 2 * WITNESS_SECONDS


@pytest.mark.check("H13")
async def test_a_process_that_is_restarted_has_seen_nothing_of_the_clock() -> None:
    store = SweptStore()

    await sweep(store, 3 * ROUNDS_OF_WITNESS, restarts=lambda done: done % ROUNDS_OF_WITNESS == 0)

    assert store.swept_until == []


async def test_a_store_that_is_down_is_left_until_the_next_time() -> None:
    store = SweptStore(None, 0)

    await sweep(store, ROUNDS_OF_WITNESS + 1)

    assert store.swept_until == [NOW, NOW + SWEEP_EVERY_SECONDS]


async def test_waits_are_mended_without_a_witness() -> None:
    store = SweptStore()

    await sweep(store, 1)

    assert store.waits_until == {LONGEST_WAIT_SECONDS}
