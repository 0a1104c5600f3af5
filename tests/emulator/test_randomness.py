"""Randomness repeats itself with a seed and only then."""

import uuid

from webex_oauth.emulator import Randomness


def test_the_same_seed_draws_the_same_values_in_the_same_order() -> None:
    first, second = Randomness(7), Randomness(7)

    assert [first.hex(8) for _ in range(3)] == [second.hex(8) for _ in range(3)]


def test_a_seed_does_not_draw_the_same_value_twice() -> None:
    randomness = Randomness(7)

    assert len({randomness.hex(8) for _ in range(100)}) == 100


def test_without_a_seed_nothing_repeats() -> None:
    assert Randomness().hex(16) != Randomness().hex(16)


def test_a_drawn_uuid_is_a_random_one() -> None:
    assert uuid.UUID(Randomness(7).uuid()).version == 4
