"""A shelf holds so many and forgets the oldest first."""

import pytest

from webex_oauth.emulator.shelf import Shelf


@pytest.mark.bound("tokens of the emulator")
def test_a_full_shelf_loses_its_oldest() -> None:
    shelf: Shelf[str, int] = Shelf(2)

    for number, key in enumerate("abc"):
        shelf.put(key, number)

    assert list(shelf) == [1, 2]
    assert "a" not in shelf


def test_replacing_a_value_costs_no_place() -> None:
    shelf: Shelf[str, int] = Shelf(2)
    shelf.put("a", 1)
    shelf.put("b", 2)

    shelf.put("a", 3)

    assert list(shelf) == [3, 2]


def test_what_is_taken_is_gone() -> None:
    shelf: Shelf[str, int] = Shelf(2)
    shelf.put("a", 1)

    assert shelf.take("a") == 1
    assert shelf.take("a") is None
    assert len(shelf) == 0
