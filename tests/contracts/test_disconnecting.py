"""What a store does when a grant ends, by itself or with its last session."""

import asyncio
from dataclasses import replace

import pytest
from contracts.places import two_machines
from contracts.rows import IDLE_SECONDS, NOW, admission, grant, name, revocation, session

from webex_oauth.errors import StoreConflict
from webex_oauth.vault.records import EndedSession, RevocationRecord
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)
OTHER_KEY = name("grant", 2)


async def end(store: Store, number: int, *, keeps_grants: bool = False) -> EndedSession | None:
    return await store.end_session(
        name("session", number), now=NOW, idle_seconds=IDLE_SECONDS, keeps_grants=keeps_grants
    )


async def queued(store: Store) -> list[RevocationRecord]:
    return list(await store.scan(RevocationRecord, after=b"", limit=9))


async def admit_two(store: Store) -> None:
    """Admit sessions 1 and 2 to grant 1, which gets to version 2."""
    await store.admit(admission(1))
    await store.admit(admission(2, version=2, expected_version=1))


async def test_an_ended_grant_is_queued_with_all_it_held(store: Store) -> None:
    await store.admit(admission(version=7, ends_at=NOW + 99))

    ended = await store.end_grant(KEY, now=NOW + 5)

    assert ended == revocation(version=7, ends_at=NOW + 99, due_at=NOW + 5)
    assert await queued(store) == [ended]
    assert await store.find_grant(KEY) is None


async def test_all_sessions_of_an_ended_grant_end(store: Store) -> None:
    await admit_two(store)
    await store.admit(admission(3, of=2))

    await store.end_grant(KEY, now=NOW)

    assert await store.find_session(name("session", 1)) is None
    assert await store.find_session(name("session", 2)) is None
    assert await store.find_session(name("session", 3)) == session(3, of=2)
    assert await store.find_grant(OTHER_KEY) == grant(2)


async def test_a_grant_ends_once(store: Store) -> None:
    await store.admit(admission())

    outcomes = await asyncio.gather(*(store.end_grant(KEY, now=NOW) for _ in range(20)))

    assert outcomes.count(revocation()) == 1
    assert outcomes.count(None) == 19
    assert await queued(store) == [revocation()]


async def test_sessions_without_a_grant_end_too(store: Store) -> None:
    await store.admit(admission(1, ends_at=NOW))
    await store.admit(admission(2, version=2, expected_version=1))
    await end(store, 2, keeps_grants=True)
    await store.end_grant(KEY, now=NOW)
    await store.admit(admission(3, version=3))

    assert await store.end_grant(OTHER_KEY, now=NOW) is None

    assert await store.find_session(name("session", 3)) == session(3)


async def test_the_last_session_queues_its_grants_tokens(store: Store) -> None:
    await store.admit(admission())

    await end(store, 1)

    assert await queued(store) == [revocation()]


async def test_a_session_that_is_not_the_last_queues_nothing(store: Store) -> None:
    await admit_two(store)

    await end(store, 1)

    assert await queued(store) == []


async def test_a_kept_grant_outlives_its_last_session(store: Store) -> None:
    await store.admit(admission())

    assert await end(store, 1, keeps_grants=True) == EndedSession(KEY, None)

    assert await store.find_session(name("session", 1)) is None
    assert await store.find_grant(KEY) == grant()
    assert await queued(store) == []


@two_machines
async def test_the_last_two_sessions_that_end_at_once_take_the_grant_along(
    store: Store, other_store: Store
) -> None:
    for round_number in range(10):
        await store.admit(admission(1, version=1))
        await store.admit(admission(2, version=2, expected_version=1))

        outcomes = await asyncio.gather(end(store, 1), end(other_store, 2))

        expected = [EndedSession(KEY, None), EndedSession(KEY, revocation(version=2))]
        assert sorted(outcomes, key=repr) == expected, round_number
        assert await other_store.find_grant(KEY) is None
        await store.drop_revocation(KEY, 2)


@two_machines
async def test_a_session_that_ends_beside_a_sign_in_leaves_the_new_session_its_grant(
    store: Store, other_store: Store
) -> None:
    for round_number in range(10):
        await store.admit(admission(1))

        outcome, _ = await asyncio.gather(
            other_store.admit(admission(2, version=2, expected_version=1)),
            end(store, 1),
            return_exceptions=True,
        )

        is_admitted = not isinstance(outcome, StoreConflict)
        assert (await store.find_grant(KEY) is not None) == is_admitted, round_number
        assert (await store.find_session(name("session", 2)) is not None) == is_admitted
        await store.end_grant(KEY, now=NOW)


async def test_an_admission_queues_the_tokens_of_before(store: Store) -> None:
    await store.admit(admission(1))
    again = admission(2, version=2, expected_version=1)

    await store.admit(replace(again, earlier=revocation(version=1)))

    assert await queued(store) == [revocation(version=1)]
    assert await store.find_grant(KEY) == grant(version=2)


async def test_a_refused_admission_queues_nothing(store: Store) -> None:
    again = admission(2, version=2, expected_version=1)

    with pytest.raises(StoreConflict):
        await store.admit(replace(again, earlier=revocation(version=1)))

    assert await queued(store) == []


async def test_a_replaced_sessions_grant_is_kept_where_grants_are_kept(store: Store) -> None:
    await store.admit(admission(1, of=1))

    ended = await store.admit(replace(admission(2, of=2, replaced=1), keeps_grants=True))

    assert ended == EndedSession(KEY, None)
    assert await store.find_grant(KEY) == grant(1)


async def test_a_replaced_sessions_grant_is_queued(store: Store) -> None:
    await store.admit(admission(1, of=1))

    await store.admit(admission(2, of=2, replaced=1))

    assert await queued(store) == [revocation(1)]
