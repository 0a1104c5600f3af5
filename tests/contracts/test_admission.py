"""What a store does when a sign-in completes: all of it or nothing."""

import asyncio

import pytest
from contracts.rows import IDLE_SECONDS, NOW, admission, attempt, grant, name, revocation, session

from webex_oauth.errors import AttemptInProgress, StoreConflict
from webex_oauth.vault.records import EndedSession
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)


async def test_a_first_sign_in_replaces_no_session(store: Store) -> None:
    assert await store.admit(admission()) is None


async def test_a_grant_that_is_there_already_is_not_added_again(store: Store) -> None:
    await store.admit(admission(1))

    with pytest.raises(StoreConflict):
        await store.admit(admission(2, version=2))

    assert await store.find_grant(KEY) == grant(version=1)


async def test_a_refused_admission_leaves_no_session(store: Store) -> None:
    await store.admit(admission(1))

    with pytest.raises(StoreConflict):
        await store.admit(admission(2, version=2, expected_version=9))

    assert await store.find_session(name("session", 2)) is None


async def test_a_refused_admission_leaves_the_attempt_in_progress(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=9, now=NOW)
    await store.take_attempt(name("state", 1), name("browser", 1), NOW)
    with pytest.raises(StoreConflict):
        await store.admit(admission(expected_version=9))

    with pytest.raises(AttemptInProgress):
        await store.take_attempt(name("state", 1), name("browser", 1), NOW)


async def test_a_refused_admission_ends_no_session(store: Store) -> None:
    await store.admit(admission(1))

    with pytest.raises(StoreConflict):
        await store.admit(admission(2, version=2, replaced=1))

    assert await store.find_session(name("session", 1)) == session(1)


async def test_an_admission_with_a_taken_session_id_keeps_no_grant(store: Store) -> None:
    await store.admit(admission(1, of=1))

    with pytest.raises(StoreConflict):
        await store.admit(admission(1, of=2))

    assert await store.find_grant(name("grant", 2)) is None


async def test_signing_in_again_ends_the_old_session_and_keeps_the_grant(store: Store) -> None:
    await store.admit(admission(1))

    ended = await store.admit(admission(2, version=2, expected_version=1, replaced=1))

    assert ended == EndedSession(KEY, None)
    assert await store.find_session(name("session", 1)) is None
    assert await store.find_grant(KEY) == grant(version=2)


async def test_signing_in_as_another_person_queues_the_first_ones_tokens(store: Store) -> None:
    await store.admit(admission(1, of=1))

    ended = await store.admit(admission(2, of=2, replaced=1))

    assert ended == EndedSession(KEY, revocation())
    assert await store.find_grant(KEY) is None
    assert await store.find_grant(name("grant", 2)) == grant(2)


async def test_signing_in_as_another_person_leaves_the_first_ones_other_browser(
    store: Store,
) -> None:
    await store.admit(admission(1, of=1))
    await store.admit(admission(2, of=1, version=2, expected_version=1))

    ended = await store.admit(admission(3, of=2, replaced=1))

    assert ended == EndedSession(KEY, None)
    assert await store.find_session(name("session", 2)) == session(2)


async def test_a_replaced_session_that_is_gone_does_not_matter(store: Store) -> None:
    assert await store.admit(admission(1, replaced=7)) is None

    assert await store.find_session(name("session", 1)) == session(1)


async def test_a_sign_in_completes_after_its_attempt_was_evicted(store: Store) -> None:
    await store.add_attempt(attempt(1), at_most=1, now=NOW)
    await store.take_attempt(name("state", 1), name("browser", 1), NOW)
    await store.add_attempt(attempt(2), at_most=1, now=NOW)

    await store.admit(admission(1))

    assert await store.find_session(name("session", 1)) == session(1)


async def test_of_50_sign_ins_over_one_version_one_is_admitted(store: Store) -> None:
    outcomes = await asyncio.gather(
        *(store.admit(admission(number, version=number)) for number in range(1, 51)),
        return_exceptions=True,
    )

    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, StoreConflict) for outcome in outcomes) == 49


async def test_a_replaced_session_counts_idle_ones_as_gone(store: Store) -> None:
    later = NOW + IDLE_SECONDS
    await store.admit(admission(1, of=1))
    await store.admit(admission(2, of=1, version=2, expected_version=1, created_at=later))

    ended = await store.admit(admission(3, of=2, replaced=2, created_at=later))

    assert ended == EndedSession(KEY, revocation(version=2, due_at=later))
