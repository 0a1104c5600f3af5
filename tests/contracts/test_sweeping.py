"""What a store removes by itself, and what it must leave."""

import pytest
from contracts.rows import (
    ABSOLUTE_SECONDS,
    IDLE_SECONDS,
    LIFETIME_SECONDS,
    NOW,
    admission,
    attempt,
    grant,
    name,
    revocation,
    session,
)

from webex_oauth.vault.records import RevocationRecord
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)


async def sweep(store: Store, now: int) -> int:
    return await store.sweep(now=now, idle_seconds=IDLE_SECONDS)


async def test_an_empty_store_has_nothing_to_sweep(store: Store) -> None:
    assert await sweep(store, NOW) == 0


async def test_what_is_live_stays(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=9, now=NOW)
    await store.admit(admission(ends_at=NOW + 1))

    assert await sweep(store, NOW) == 0


async def test_expired_attempts_go(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=9, now=NOW)

    assert await sweep(store, NOW + LIFETIME_SECONDS) == 1


async def test_idle_sessions_go(store: Store) -> None:
    await store.admit(admission())

    assert await sweep(store, NOW + IDLE_SECONDS) == 1
    assert await store.find_session(name("session", 1)) is None


async def test_sessions_past_their_end_go_however_busy(store: Store) -> None:
    await store.admit(admission())
    await store.touch_session(name("session", 1), NOW + ABSOLUTE_SECONDS)

    assert await sweep(store, NOW + ABSOLUTE_SECONDS) == 1
    assert await store.find_session(name("session", 1)) is None


async def test_a_session_that_was_used_stays(store: Store) -> None:
    await store.admit(admission())
    await store.touch_session(name("session", 1), NOW + 60)

    assert await sweep(store, NOW + IDLE_SECONDS) == 0


async def test_a_grant_without_a_session_stays_while_a_token_lives(store: Store) -> None:
    await store.admit(admission(ends_at=NOW + ABSOLUTE_SECONDS + 1))

    await sweep(store, NOW + ABSOLUTE_SECONDS)

    assert await store.find_grant(KEY) == grant(ends_at=NOW + ABSOLUTE_SECONDS + 1)


async def test_a_grant_without_a_session_goes_when_its_last_token_ended(store: Store) -> None:
    await store.admit(admission(ends_at=NOW + ABSOLUTE_SECONDS))

    assert await sweep(store, NOW + ABSOLUTE_SECONDS) == 2
    assert await store.find_grant(KEY) is None


async def test_a_grant_of_unknown_end_stays(store: Store) -> None:
    await store.admit(admission(ends_at=None))

    await sweep(store, NOW + 100 * ABSOLUTE_SECONDS)

    assert await store.find_grant(KEY) == grant()


async def test_a_grant_whose_tokens_ended_stays_with_its_session(store: Store) -> None:
    await store.admit(admission(ends_at=NOW))

    assert await sweep(store, NOW + 1) == 0
    assert await store.find_session(name("session", 1)) == session()


async def test_revocations_go_when_their_tokens_have_ended(store: Store) -> None:
    await store.add_revocation(revocation(1, ends_at=NOW))
    await store.add_revocation(revocation(2, ends_at=NOW + 1))
    await store.add_revocation(revocation(3, ends_at=None))

    assert await sweep(store, NOW) == 1

    left = await store.scan(RevocationRecord, after=b"", limit=9)
    assert {record.grant_key for record in left} == {name("grant", 2), name("grant", 3)}


async def test_a_sweep_queues_nothing(store: Store) -> None:
    await store.admit(admission(ends_at=NOW))

    await sweep(store, NOW + IDLE_SECONDS)

    assert list(await store.scan(RevocationRecord, after=b"", limit=9)) == []
