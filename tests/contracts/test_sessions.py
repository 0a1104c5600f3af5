"""Sessions: found, touched, renamed, listed, and ended once."""

import asyncio

import pytest
from contracts.records import (
    ABSOLUTE_SECONDS,
    ATTEMPT_SECONDS,
    IDLE_SECONDS,
    KEY,
    NOW,
    digest_of,
    end,
    found_grant,
    found_session,
    grant,
    key_of,
    revocation,
    session,
    sign_in,
    state,
    taken,
    touch,
)
from msgspec.structs import replace

from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import EndedSession

pytestmark = pytest.mark.anyio

DIGEST = session().digest


async def rename(ledger: Ledger, number: int, old: int = 1) -> bool:
    """Rename session *old* as session *number*."""
    found = await ledger.find_session(digest_of("session", old))
    if found is None:
        return False
    mark = await ledger.take_state(state(old), NOW + ATTEMPT_SECONDS, NOW)
    return await ledger.rename_session(found, session(number), state(old), mark)


async def test_a_session_that_never_was_is_not_found(ledger: Ledger) -> None:
    await sign_in(ledger)

    assert await found_session(ledger, 2) is None


async def test_use_moves_the_time_it_was_seen(ledger: Ledger) -> None:
    await sign_in(ledger)

    await touch(ledger, 1, NOW + 60)

    assert await found_session(ledger) == replace(session(), seen_at=NOW + 60)


async def test_a_touch_over_an_older_look_changes_nothing(ledger: Ledger) -> None:
    await sign_in(ledger)
    seen = await ledger.find_session(DIGEST)
    assert seen is not None
    await touch(ledger, 1, NOW + 60)

    await ledger.touch_session(seen, NOW + 30)

    assert await found_session(ledger) == replace(session(), seen_at=NOW + 60)


async def test_a_late_touch_does_not_bring_an_ended_session_back(ledger: Ledger) -> None:
    await sign_in(ledger)
    seen = await ledger.find_session(DIGEST)
    assert seen is not None
    await end(ledger)

    await ledger.touch_session(seen, NOW + 60)

    assert await found_session(ledger) is None


async def test_the_last_session_takes_its_grant_along_and_queues_its_tokens(
    ledger: Ledger,
) -> None:
    await sign_in(ledger)

    assert await end(ledger) == EndedSession(KEY, revocation())

    assert await found_session(ledger) is None
    assert await found_grant(ledger) is None
    assert [one.grant_key for one in await taken(ledger)] == [KEY]


async def test_another_live_session_keeps_the_grant(ledger: Ledger) -> None:
    await sign_in(ledger, 1)
    await sign_in(ledger, 2, version=2)

    assert await end(ledger, 1) == EndedSession(KEY, None)

    assert await found_grant(ledger) == grant(version=2)
    assert await found_session(ledger, 2) == session(2)
    assert await taken(ledger) == []


async def test_a_kept_grant_outlives_its_last_session(ledger: Ledger) -> None:
    await sign_in(ledger)

    assert await end(ledger, keeps_grants=True) == EndedSession(KEY, None)

    assert await found_session(ledger) is None
    assert await found_grant(ledger) == grant()
    assert await taken(ledger) == []


OTHERS = {
    # Of another session: its grant, beginning and last use; whether it keeps grant 1.
    "another person's": (2, NOW, NOW, False),
    "idle for too long": (1, NOW - IDLE_SECONDS, NOW - IDLE_SECONDS, False),
    "used until its absolute end": (1, NOW - ABSOLUTE_SECONDS, NOW - 1, False),
    "used since": (1, NOW - IDLE_SECONDS, NOW - 1, True),
}


@pytest.mark.parametrize(("of", "created_at", "seen_at", "is_kept"), OTHERS.values(), ids=OTHERS)
async def test_only_a_session_of_the_same_person_that_is_not_over_keeps_the_grant(
    ledger: Ledger, of: int, created_at: int, seen_at: int, *, is_kept: bool
) -> None:
    await sign_in(ledger, 2, of=of, created_at=created_at)
    await touch(ledger, 2, seen_at)
    await sign_in(ledger, 1, version=2)

    assert await end(ledger, 1) == EndedSession(KEY, None if is_kept else revocation(version=2))


async def test_a_session_ends_once(ledger: Ledger) -> None:
    await sign_in(ledger)

    outcomes = await asyncio.gather(*(end(ledger) for _ in range(20)))

    assert outcomes.count(EndedSession(KEY, revocation())) == 1
    assert outcomes.count(None) == 19


async def test_the_last_two_sessions_that_end_at_once_take_the_grant_along(
    ledger: Ledger, other_ledger: Ledger
) -> None:
    for round_number in range(10):
        first, second = 2 * round_number, 2 * round_number + 1
        await sign_in(ledger, first, version=1)
        await sign_in(ledger, second, version=2)

        outcomes = await asyncio.gather(end(ledger, first), end(other_ledger, second))

        expected = [EndedSession(KEY, None), EndedSession(KEY, revocation(version=2))]
        assert sorted(outcomes, key=repr) == expected, round_number
        assert await found_grant(other_ledger) is None
        await ledger.drop_revocation(revocation(version=2))


async def test_a_renamed_session_has_a_new_name_only(ledger: Ledger) -> None:
    await sign_in(ledger)

    assert await rename(ledger, 2)

    assert await found_session(ledger, 1) is None
    assert await found_session(ledger, 2) == session(2)
    mark = await ledger.take_state(state(), NOW + ATTEMPT_SECONDS, NOW)
    assert mark.record.session_digest == session(2).digest


async def test_a_name_that_is_taken_leaves_the_session_as_it_is(ledger: Ledger) -> None:
    await sign_in(ledger, 1)
    await sign_in(ledger, 2, version=2)

    assert not await rename(ledger, 2)

    assert await found_session(ledger) == session()


async def test_of_50_who_rename_a_session_one_does(ledger: Ledger) -> None:
    await sign_in(ledger)

    outcomes = await asyncio.gather(*(rename(ledger, number) for number in range(2, 52)))

    assert outcomes.count(True) == 1


async def test_an_ended_session_cannot_be_renamed(ledger: Ledger) -> None:
    await sign_in(ledger)
    found = await ledger.find_session(DIGEST)
    mark = await ledger.take_state(state(), NOW + ATTEMPT_SECONDS, NOW)
    assert found is not None
    await end(ledger)

    assert not await ledger.rename_session(found, session(2), state(), mark)

    assert await found_session(ledger, 2) is None


async def test_the_sessions_of_a_grant_are_listed_the_latest_seen_first(ledger: Ledger) -> None:
    for number in (1, 2, 3, 4):
        await sign_in(ledger, number, version=number)
    await sign_in(ledger, 5, of=2)
    await touch(ledger, 2, NOW + 2)
    await touch(ledger, 4, NOW + 1)

    assert [one.digest for one in await ledger.sessions_of(KEY, 2)] == [
        digest_of("session", 2),
        digest_of("session", 4),
    ]
    assert len(await ledger.sessions_of(KEY, 9)) == 4
    assert await ledger.sessions_of(key_of(3), 9) == []


async def test_sessions_that_are_over_are_found_and_stay_listed(ledger: Ledger) -> None:
    for number, created_at in ((1, NOW), (2, NOW + 50), (3, NOW + 100)):
        await sign_in(ledger, number, of=number, created_at=created_at)
    await touch(ledger, 3, NOW + 200)

    async def over(now: int, limit: int = 9) -> set[bytes]:
        return set(await ledger.over_sessions(now, limit))

    assert await over(NOW + IDLE_SECONDS - 1) == set()
    assert await over(NOW + IDLE_SECONDS) == {digest_of("session", 1)}
    both = {digest_of("session", number) for number in (1, 2)}
    assert await over(NOW + IDLE_SECONDS + 50) == both
    assert len(await over(NOW + IDLE_SECONDS + 50, limit=1)) == 1
    assert await over(NOW + ABSOLUTE_SECONDS + 100) == both | {digest_of("session", 3)}
    assert [one.digest for one in await ledger.sessions_of(KEY, 9)] == [DIGEST]
