"""What a store does with sessions."""

import asyncio
from dataclasses import replace

import pytest
from contracts.rows import (
    ABSOLUTE_SECONDS,
    IDLE_SECONDS,
    NOW,
    admission,
    attempt,
    grant,
    name,
    revocation,
    session,
)

from webex_oauth.errors import StoreConflict
from webex_oauth.vault.records import EndedSession, FinishedAttempt
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

DIGEST = name("session", 1)
KEY = name("grant", 1)


async def end(
    store: Store, number: int, now: int = NOW, *, keeps_grants: bool = False
) -> EndedSession | None:
    return await store.end_session(
        name("session", number), now=now, idle_seconds=IDLE_SECONDS, keeps_grants=keeps_grants
    )


async def renew(store: Store, number: int) -> bool:
    """Give session 1 the name of session *number*."""
    return await store.replace_session(
        DIGEST, session(number), attempt_state_digest=name("state", 1)
    )


async def test_a_session_comes_back_as_it_was_added(store: Store) -> None:
    await store.admit(admission())

    assert await store.find_session(DIGEST) == session()


async def test_a_session_that_never_was_is_not_found(store: Store) -> None:
    await store.admit(admission())

    assert await store.find_session(name("session", 2)) is None


async def test_use_moves_the_time_it_was_seen(store: Store) -> None:
    await store.admit(admission())

    await store.touch_session(DIGEST, NOW + 60)

    assert await store.find_session(DIGEST) == replace(session(), seen_at=NOW + 60)


async def test_a_late_touch_does_not_move_time_back(store: Store) -> None:
    await store.admit(admission())
    await store.touch_session(DIGEST, NOW + 60)

    await store.touch_session(DIGEST, NOW + 30)

    assert await store.find_session(DIGEST) == replace(session(), seen_at=NOW + 60)


async def test_an_ended_session_is_gone(store: Store) -> None:
    await store.admit(admission())

    await end(store, 1)

    assert await store.find_session(DIGEST) is None


async def test_a_late_touch_does_not_bring_a_session_back(store: Store) -> None:
    await store.admit(admission())
    await end(store, 1)

    await store.touch_session(DIGEST, NOW + 60)

    assert await store.find_session(DIGEST) is None


async def test_the_last_session_takes_its_grant_along(store: Store) -> None:
    await store.admit(admission())

    ended = await end(store, 1)

    assert ended == EndedSession(KEY, revocation())
    assert await store.find_grant(KEY) is None


async def test_another_live_session_keeps_the_grant(store: Store) -> None:
    await store.admit(admission(1))
    await store.admit(admission(2, version=2, expected_version=1))

    ended = await end(store, 1)

    assert ended == EndedSession(KEY, None)
    assert await store.find_grant(KEY) == grant(version=2)
    assert await store.find_session(name("session", 2)) == session(2)


async def test_another_persons_session_does_not_keep_the_grant(store: Store) -> None:
    await store.admit(admission(1, of=1))
    await store.admit(admission(2, of=2))

    assert await end(store, 1) == EndedSession(KEY, revocation())


@pytest.mark.parametrize("age_seconds", [IDLE_SECONDS, ABSOLUTE_SECONDS])
async def test_a_session_whose_time_is_over_does_not_keep_the_grant(
    store: Store, age_seconds: int
) -> None:
    later = NOW + age_seconds
    await store.admit(admission(1))
    await store.admit(admission(2, version=2, expected_version=1, created_at=later))
    if age_seconds == ABSOLUTE_SECONDS:
        await store.touch_session(DIGEST, later - 1)

    ended = await end(store, 2, later)

    assert ended == EndedSession(KEY, revocation(version=2, due_at=later))


async def test_a_session_ends_once(store: Store) -> None:
    await store.admit(admission())

    outcomes = await asyncio.gather(*(end(store, 1) for _ in range(20)))

    assert outcomes.count(EndedSession(KEY, revocation())) == 1
    assert outcomes.count(None) == 19


async def test_two_sessions_ended_together_give_the_grant_once(store: Store) -> None:
    await store.admit(admission(1))
    await store.admit(admission(2, version=2, expected_version=1))

    outcomes = await asyncio.gather(end(store, 1), end(store, 2))

    queued = [ended.revocation for ended in outcomes if ended is not None]
    assert sorted(queued, key=repr) == [None, revocation(version=2)]


async def test_a_renewed_session_has_a_new_name_only(store: Store) -> None:
    await store.admit(admission())

    assert await renew(store, 2)

    assert await store.find_session(DIGEST) is None
    assert await store.find_session(name("session", 2)) == session(2)


async def test_a_name_that_is_taken_leaves_the_session_to_be_renewed(store: Store) -> None:
    await store.admit(admission())
    await store.admit(admission(2, version=2, expected_version=1))

    with pytest.raises(StoreConflict):
        await renew(store, 2)

    assert await store.find_session(DIGEST) == session()


async def test_the_attempt_that_brought_a_session_knows_its_new_name(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=10, now=NOW)
    names = (name("state", 1), name("browser", 1), NOW)
    await store.take_attempt(*names)
    await store.admit(admission())

    await renew(store, 2)

    assert await store.take_attempt(*names) == FinishedAttempt(attempt(), name("session", 2))


async def test_an_ended_session_cannot_be_renewed(store: Store) -> None:
    await store.admit(admission())
    await end(store, 1)

    assert not await renew(store, 2)

    assert await store.find_session(name("session", 2)) is None


async def test_of_50_renewals_one_happens(store: Store) -> None:
    await store.admit(admission())

    outcomes = await asyncio.gather(*(renew(store, number) for number in range(2, 52)))

    assert outcomes.count(True) == 1


async def test_the_sessions_of_a_grant_are_listed_the_latest_seen_first(store: Store) -> None:
    await store.admit(admission(1))
    for number in (2, 3, 4):
        await store.admit(admission(number, version=number, expected_version=number - 1))
    await store.admit(admission(5, of=2))
    await store.touch_session(name("session", 2), NOW + 2)
    await store.touch_session(name("session", 4), NOW + 1)

    found = [record.digest for record in await store.sessions_of(KEY, limit=2)]

    assert found == [name("session", 2), name("session", 4)]


async def test_the_sessions_of_a_grant_are_listed_whole_and_also_those_that_are_over(
    store: Store,
) -> None:
    await store.admit(admission(created_at=NOW - 2 * ABSOLUTE_SECONDS))

    assert await store.sessions_of(KEY, limit=9) == [session(created_at=NOW - 2 * ABSOLUTE_SECONDS)]


async def test_a_grant_that_is_not_there_has_no_sessions(store: Store) -> None:
    await store.admit(admission())

    assert await store.sessions_of(name("grant", 2), limit=9) == []


async def test_another_attempt_does_not_learn_of_a_renewed_session(store: Store) -> None:
    for number in (1, 2):
        await store.add_attempt(attempt(number), at_most=10, now=NOW)
        await store.take_attempt(name("state", number), name("browser", 1), NOW)
    await store.admit(admission(1))
    await store.admit(admission(2, of=2))

    await store.replace_session(DIGEST, session(3), attempt_state_digest=name("state", 2))

    again = await store.take_attempt(name("state", 2), name("browser", 1), NOW)
    assert again == FinishedAttempt(attempt(2), name("session", 2))


async def test_sessions_that_are_over_are_found(store: Store) -> None:
    await store.admit(admission(1, of=1))
    await store.admit(admission(2, of=2, created_at=NOW + 50))
    await store.admit(admission(3, of=3, created_at=NOW + 100))
    await store.touch_session(name("session", 3), NOW + 200)

    async def over(now: int, limit: int = 9) -> set[bytes]:
        found = await store.over_sessions(now=now, idle_seconds=IDLE_SECONDS, limit=limit)
        assert len(found) == len({one.digest for one in found})
        return {one.digest for one in found}

    assert await over(NOW + IDLE_SECONDS - 1) == set()
    assert await over(NOW + IDLE_SECONDS) == {name("session", 1)}
    assert await over(NOW + IDLE_SECONDS + 50) == {name("session", 1), name("session", 2)}
    assert len(await over(NOW + IDLE_SECONDS + 50, limit=1)) == 1
    every = {name("session", number) for number in (1, 2, 3)}
    assert await over(NOW + ABSOLUTE_SECONDS + 100) == every
