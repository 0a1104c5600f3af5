"""What one machine writes, another one finds."""

import time

import pytest
from contracts.places import two_machines
from contracts.rows import NOW, admission, attempt, grant, name, revocation, session

from webex_oauth.errors import AttemptInProgress
from webex_oauth.vault.store import Store

pytestmark = [pytest.mark.anyio, two_machines]

KEY = name("grant", 1)


@pytest.mark.check("A03")
async def test_an_attempt_begun_here_is_taken_there_and_nowhere_else(
    store: Store, other_store: Store
) -> None:
    await store.add_attempt(attempt(), at_most=9, now=NOW)

    assert await other_store.take_attempt(name("state", 1), name("browser", 1), NOW) == attempt()
    with pytest.raises(AttemptInProgress):
        await store.take_attempt(name("state", 1), name("browser", 1), NOW)


@pytest.mark.check("D05")
async def test_who_signed_in_here_is_signed_in_there(store: Store, other_store: Store) -> None:
    await store.admit(admission())

    assert await other_store.find_session(name("session", 1)) == session()
    assert await other_store.find_grant(KEY) == grant()


@pytest.mark.check("D05")
async def test_who_is_disconnected_here_is_nobody_there(store: Store, other_store: Store) -> None:
    await store.admit(admission())
    assert await other_store.find_session(name("session", 1)) == session()

    await store.end_grant(KEY, now=NOW)

    assert await other_store.find_session(name("session", 1)) is None
    assert await other_store.find_grant(KEY) is None


async def test_tokens_queued_here_are_revoked_there(store: Store, other_store: Store) -> None:
    await store.add_revocation(revocation())

    taken = await other_store.take_revocations(now=NOW, until=NOW + 60, limit=9)

    assert list(taken) == [revocation(due_at=NOW + 60, try_count=1)]


@pytest.mark.check("H13")
async def test_both_machines_are_told_one_time(store: Store, other_store: Store) -> None:
    asked_at = time.monotonic()
    here, there = await store.time(), await other_store.time()

    assert 0 <= there - here <= time.monotonic() - asked_at + 0.01
