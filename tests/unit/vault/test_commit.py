"""What a process notes is bounded, and belongs to one version of one grant."""

import os

import pytest
from msgspec.structs import replace
from unit.vault.fakes import VaultFixture, alice, tokens

from webex_oauth.vault.commit import MOST_REMEMBERED, Commit, Notes, version_name

GRANT = replace(alice(tokens()), version=1)


@pytest.fixture
def commit() -> Commit:
    fixture = VaultFixture()
    return Commit(fixture.ledger, fixture.clock, os.urandom)


def test_a_note_belongs_to_one_version(commit: Commit) -> None:
    commit.note_reason(GRANT, "first")

    assert commit.noted_reason(GRANT) == "first"
    assert commit.noted_reason(replace(GRANT, version=2)) is None
    assert commit.noted_reason(replace(GRANT, subject="bob")) is None


@pytest.mark.bound("notes of what could not be written")
def test_the_oldest_note_goes_when_there_are_too_many() -> None:
    notes: Notes[int] = Notes(at_most=3)

    for number in range(5):
        notes[version_name(replace(GRANT, version=number))] = number

    kept = [notes.get(version_name(replace(GRANT, version=number))) for number in range(5)]
    assert kept == [None, None, 2, 3, 4]


@pytest.mark.bound("refused tokens remembered")
def test_the_oldest_refused_tokens_are_forgotten(commit: Commit) -> None:
    grants = [alice(tokens(f"token-{number}")) for number in range(MOST_REMEMBERED + 5)]

    for grant in grants:
        commit.note_refused(grant.tokens.access_token)

    assert [commit.is_refused(grant) for grant in grants] == [False] * 5 + [True] * MOST_REMEMBERED
