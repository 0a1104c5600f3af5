"""A bounded dictionary holds so many entries and forgets the oldest first."""

import pytest

from webex_oauth.emulator.bounded_dict import BoundedDict


@pytest.mark.bound("tokens of the emulator")
def test_a_full_dictionary_loses_its_oldest_entry() -> None:
    entries: BoundedDict[str, int] = BoundedDict(2)

    for number, key in enumerate("abc"):
        entries[key] = number

    assert entries == {"b": 1, "c": 2}


def test_replacing_a_value_displaces_nothing() -> None:
    entries: BoundedDict[str, int] = BoundedDict(2)
    entries["a"], entries["b"] = 1, 2

    entries["a"] = 3

    assert list(entries.items()) == [("a", 3), ("b", 2)]
