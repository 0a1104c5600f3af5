"""The sweeper removes what is over, batch after batch, by a clock that has proved steady."""

from collections.abc import Callable, Sequence

import pytest
from unit.flows.fixtures import NOW, FlowFixture

from webex_oauth.errors import StoreUnavailable
from webex_oauth.flows.housekeeping import (
    LASTING,
    MARKS,
    STEADY_SECONDS,
    SWEEP_EVERY_SECONDS,
    Sweeper,
)
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.rows import Kind
from webex_oauth.vault.upkeep import Upkeep

pytestmark = pytest.mark.anyio

DAY = 86_400
ROUNDS_OF_WITNESS = round(STEADY_SECONDS / SWEEP_EVERY_SECONDS)


class TimeIsUp(Exception):
    """End a test."""


class SweptUpkeep(Upkeep):
    """Notes each sweep, and has batches to sweep: a number for each; fails where it says None."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.batches: list[int | None] = []
        self.swept_until: list[int] = []
        self.mended: list[Kind] = []

    async def sweep(self, now: int, kinds: Sequence[Kind], limit: int = 0) -> int:  # noqa: ARG002 - the sweeper's
        if kinds == MARKS:
            return 0
        self.swept_until.append(now)
        batch = self.batches.pop(0) if self.batches else 0
        if batch is None:
            raise StoreUnavailable("down")
        return batch

    async def mend(self, kind: Kind, after: bytes, now: int, limit: int = 0) -> bytes:  # noqa: ARG002 - the sweeper's
        self.mended.append(kind)
        return b""


async def sweep(
    rounds: int,
    *batches: int | None,
    steps: dict[int, int] | None = None,
    restarts: Callable[[int], bool] = lambda _: False,
) -> SweptUpkeep:
    """Run a sweeper for some rounds; the clock steps in some of them, the process in others."""
    fixture = FlowFixture()
    upkeep = SweptUpkeep(fixture.ledger)
    upkeep.batches = list(batches)
    steady = 0.0
    done = 0

    async def sleep(seconds: float) -> None:
        nonlocal steady, done
        if seconds:
            done += 1
            if done > rounds or restarts(done):
                raise TimeIsUp
        steady += seconds
        fixture.now += int(seconds) + ((steps or {}).get(done, 0) if seconds else 0)

    while done <= rounds:
        with pytest.raises(TimeIsUp):
            await Sweeper(
                fixture.context,
                fixture.sessions,
                sleep=sleep,
                monotonic=lambda: steady,
                upkeep=upkeep,
            ).run()
    return upkeep


@pytest.mark.bound("time before anything is removed")
@pytest.mark.check("H13")
async def test_nothing_is_removed_before_the_clock_has_proved_steady() -> None:
    upkeep = await sweep(ROUNDS_OF_WITNESS - 1)

    assert upkeep.swept_until == []


async def test_what_was_over_when_the_clock_began_to_prove_itself_is_removed() -> None:
    upkeep = await sweep(ROUNDS_OF_WITNESS, 500, 500, 3)

    assert upkeep.swept_until == [NOW] * 4


@pytest.mark.check("H13")
@pytest.mark.parametrize("step", [61, 7 * DAY, 400 * DAY, -400 * DAY])
async def test_a_clock_that_stepped_has_to_prove_itself_again(step: int) -> None:
    upkeep = await sweep(2 * ROUNDS_OF_WITNESS - 2, steps={ROUNDS_OF_WITNESS - 1: step})

    assert upkeep.swept_until == []


@pytest.mark.check("H13")
async def test_a_clock_that_is_wrong_when_the_process_starts_removes_nothing() -> None:
    upkeep = await sweep(2 * ROUNDS_OF_WITNESS - 2, steps={1: 400 * DAY, 30: -400 * DAY})

    assert max(upkeep.swept_until, default=NOW) <= NOW + 2 * STEADY_SECONDS


@pytest.mark.check("H13")
async def test_a_process_that_is_restarted_has_seen_nothing_of_the_clock() -> None:
    upkeep = await sweep(3 * ROUNDS_OF_WITNESS, restarts=lambda done: done % ROUNDS_OF_WITNESS == 0)

    assert upkeep.swept_until == []


async def test_a_store_that_is_down_is_left_until_the_next_time() -> None:
    upkeep = await sweep(ROUNDS_OF_WITNESS + 1, None, 0)

    assert upkeep.swept_until == [NOW, NOW + SWEEP_EVERY_SECONDS]


async def test_rows_are_mended_without_a_witness() -> None:
    upkeep = await sweep(1)

    assert upkeep.mended == list(LASTING)
