"""Which grants a store finds for the keeper."""

from dataclasses import replace

import pytest
from contracts.rows import NOW, admission, grant, name

from webex_oauth.vault.records import Lease, RefreshTrouble
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)
LEASE = Lease(b"one who refreshes", NOW + 30)


async def due(store: Store, now: int = NOW, limit: int = 9) -> list[bytes]:
    return [record.key for record in await store.due_grants(now=now, limit=limit)]


async def test_a_grant_is_due_when_its_time_has_come(store: Store) -> None:
    await store.admit(admission(keep_at=NOW))

    assert await store.due_grants(now=NOW, limit=9) == [grant(keep_at=NOW)]
    assert await due(store, NOW - 1) == []


async def test_a_grant_that_cannot_be_renewed_is_never_due(store: Store) -> None:
    await store.admit(admission(keep_at=None))

    assert await due(store, NOW * 2) == []


async def test_the_longest_due_come_first_and_no_more_than_asked_for(store: Store) -> None:
    for number, keep_at in enumerate((NOW - 1, NOW - 3, NOW - 2, NOW - 4), start=1):
        await store.admit(admission(number, of=number, keep_at=keep_at))

    found = await due(store, limit=3)

    assert found == [name("grant", 4), name("grant", 2), name("grant", 3)]


async def test_a_grant_under_a_lease_is_not_due(store: Store) -> None:
    await store.admit(admission(keep_at=NOW))
    await store.claim_grant(grant(keep_at=NOW), LEASE, NOW)

    assert await due(store, LEASE.until - 1) == []
    assert await due(store, LEASE.until) == [KEY]


async def test_a_grant_that_cools_down_is_not_due(store: Store) -> None:
    await store.admit(admission(keep_at=NOW))
    await store.claim_grant(grant(keep_at=NOW), LEASE, NOW)
    await store.release_grant(KEY, 1, LEASE.owner, RefreshTrouble(0, 1, NOW + 9))

    assert await due(store, NOW + 8) == []
    assert await due(store, NOW + 9) == [KEY]


async def test_a_renewed_grant_is_due_at_its_new_time(store: Store) -> None:
    await store.admit(admission(keep_at=NOW))

    await store.replace_grant(grant(version=2, keep_at=NOW + 60), 1)

    assert await due(store, NOW + 59) == []
    assert await due(store, NOW + 60) == [KEY]


async def test_a_grant_that_needs_its_person_is_no_longer_due(store: Store) -> None:
    await store.admit(admission(keep_at=NOW))

    await store.replace_grant(replace(grant(version=2), keep_at=None), 1)

    assert await due(store, NOW * 2) == []


async def test_an_ended_grant_is_not_due(store: Store) -> None:
    await store.admit(admission(keep_at=NOW))

    await store.end_grant(KEY, now=NOW)

    assert await due(store) == []
