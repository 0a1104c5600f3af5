"""The shared clock: the store's time between looks, whatever becomes of the local clock."""

import asyncio
import logging

import pytest

from webex_oauth.errors import StoreUnavailable
from webex_oauth.opening.shared_clock import HOLD_SECONDS, LARGE_STEP_SECONDS, SharedClock

DAY = 86_400.0


class World:
    """A store's clock and a monotonic one that tests move; an answer takes `answer_seconds`."""

    def __init__(self) -> None:
        self.store_time = 1_000_000.0
        self.monotonic = 50.0
        self.answer_seconds = 0.0
        self.is_down = False

    def pass_seconds(self, seconds: float) -> None:
        self.store_time += seconds
        self.monotonic += seconds

    async def tell(self) -> float:
        if self.is_down:
            raise StoreUnavailable("down")
        self.pass_seconds(self.answer_seconds / 2)
        told = self.store_time
        self.pass_seconds(self.answer_seconds / 2)
        return told


def looks(
    world: World, clock: SharedClock, seconds: float, *, step: float
) -> list[tuple[int, int]]:
    """Let the store's clock step, and look every 30 s; give what was told and the store's time."""
    world.store_time += step
    told = []
    for _ in range(round(seconds / 30)):
        world.pass_seconds(30)
        asyncio.run(clock.look())
        told.append((clock(), int(world.store_time)))
    return told


def levels(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return how bad each thing is that the clock told as a warning or worse."""
    told = [record for record in caplog.records if record.name == SharedClock.__module__]
    return [record.levelname for record in told if record.levelno >= logging.WARNING]


def clock_of(world: World) -> SharedClock:
    """Make a clock that was set once."""
    clock = SharedClock(world.tell, lambda: world.monotonic)
    asyncio.run(clock.look())
    return clock


def test_a_clock_that_was_never_set_tells_nothing() -> None:
    with pytest.raises(RuntimeError):
        SharedClock(World().tell)()


@pytest.mark.check("H13")
def test_between_looks_time_passes_as_it_does_on_the_monotonic_clock() -> None:
    world = World()
    clock = clock_of(world)

    world.monotonic += 12.0

    assert clock() == 1_000_012


@pytest.mark.check("H13")
@pytest.mark.parametrize("step", [LARGE_STEP_SECONDS, -LARGE_STEP_SECONDS, -400 * DAY])
def test_a_small_step_and_a_step_back_are_followed_at_once(step: float) -> None:
    world = World()
    clock = clock_of(world)

    world.store_time += step
    asyncio.run(clock.look())

    assert clock() == int(world.store_time)


@pytest.mark.bound("step of the clock that is not followed")
@pytest.mark.check("H13")
@pytest.mark.parametrize("step", [LARGE_STEP_SECONDS + 1, 7 * DAY, 400 * DAY])
def test_a_large_step_ahead_that_goes_away_was_never_followed(
    step: float, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    clock = clock_of(world)

    right = looks(world, clock, HOLD_SECONDS - 30, step=step)
    afterwards = looks(world, clock, 60, step=-step)

    assert {told - time for told, time in right} == {-int(step)}
    assert {told - time for told, time in afterwards} == {0}
    assert levels(caplog) == ["WARNING"]
    assert "NTP" in caplog.text


@pytest.mark.check("H13")
def test_a_large_step_ahead_that_lasts_is_followed_in_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    clock = clock_of(world)

    looks(world, clock, HOLD_SECONDS + 30, step=DAY)

    assert clock() == int(world.store_time)
    assert levels(caplog) == ["WARNING", "WARNING"]


def test_a_clock_that_steps_ahead_again_and_again_is_not_followed() -> None:
    world = World()
    clock = clock_of(world)

    for _ in range(40):
        looks(world, clock, 60, step=DAY)

    assert clock() == 1_000_000 + 40 * 60


def test_a_step_back_is_told(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    clock = clock_of(world)

    looks(world, clock, 300, step=-DAY)

    assert levels(caplog) == ["WARNING"]


def test_an_answers_way_is_taken_into_account() -> None:
    world = World()
    world.answer_seconds = 0.4

    clock = clock_of(world)

    assert clock() == int(world.store_time)


def test_a_slow_answer_does_not_move_a_clock_that_was_set() -> None:
    world = World()
    clock = clock_of(world)

    world.answer_seconds, world.store_time = 1.8, world.store_time + 100.0
    asyncio.run(clock.look())

    assert clock() == 1_000_001


def test_a_slow_answer_is_better_than_none() -> None:
    world = World()
    world.answer_seconds = 1.8

    clock = clock_of(world)

    assert clock() == int(world.store_time)


def test_a_store_that_is_down_at_start_is_told() -> None:
    world = World()
    world.is_down = True

    with pytest.raises(StoreUnavailable):
        clock_of(world)


def test_a_look_that_fails_leaves_the_clock_as_it_was() -> None:
    world = World()
    clock = clock_of(world)

    world.is_down = True
    with pytest.raises(StoreUnavailable):
        asyncio.run(clock.look())

    assert clock() == 1_000_000
