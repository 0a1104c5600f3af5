"""The shared clock: the store's time between looks, whatever becomes of the local clock."""

import asyncio

import pytest

from webex_oauth.errors import StoreUnavailable
from webex_oauth.integration import SharedClock


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
def test_a_look_follows_the_stores_clock_in_both_directions() -> None:
    world = World()
    clock = clock_of(world)

    for step in (3600.0, -7200.0):
        world.store_time += step
        asyncio.run(clock.look())

        assert clock() == int(world.store_time)


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
