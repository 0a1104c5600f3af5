"""What a process remembers is bounded, and belongs to one version."""

from dataclasses import replace

import pytest

from webex_oauth.vault.commit import Notes
from webex_oauth.vault.records import GrantRecord

RECORD = GrantRecord(b"alice", 1, b"", None, None)


def test_a_note_belongs_to_one_version() -> None:
    notes: Notes[str] = Notes()

    notes.add(RECORD, "first")

    assert notes.find(RECORD) == "first"
    assert notes.find(replace(RECORD, version=2)) is None
    assert notes.find(replace(RECORD, key=b"bob")) is None


def test_a_later_note_takes_the_place_of_an_earlier_one() -> None:
    notes: Notes[str] = Notes()
    notes.add(RECORD, "first")

    notes.add(RECORD, "second")

    assert notes.find(RECORD) == "second"


@pytest.mark.bound("notes of what could not be written")
def test_the_oldest_note_goes_when_there_are_too_many() -> None:
    notes: Notes[int] = Notes(at_most=3)

    for version in range(5):
        notes.add(replace(RECORD, version=version), version)

    kept = [notes.find(replace(RECORD, version=version)) for version in range(5)]
    assert kept == [None, None, 2, 3, 4]


def test_a_note_can_be_dropped_twice() -> None:
    notes: Notes[str] = Notes()
    notes.add(RECORD, "first")

    notes.drop(RECORD)
    notes.drop(RECORD)

    assert notes.find(RECORD) is None
