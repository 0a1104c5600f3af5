"""Waits that a wrong clock wrote: they end as soon as a right one looks."""

import pytest
from contracts.rows import NOW, admission, name, revocation

from webex_oauth.vault.records import Lease, RefreshTrouble
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)
LATEST = NOW + 5_000
FAR = NOW + 400 * 86_400
LEASE = Lease(b"one who refreshes", NOW + 30)


async def due(store: Store, now: int = NOW) -> list[bytes]:
    return [record.key for record in await store.due_grants(now=now, limit=9)]


@pytest.mark.bound("wait until a grant is renewed")
@pytest.mark.check("H13")
async def test_a_grant_that_would_be_kept_far_too_late_is_due(store: Store) -> None:
    await store.admit(admission(keep_at=FAR))
    assert await due(store) == []

    await store.shorten_waits(now=NOW, latest=LATEST)

    assert await due(store) == [KEY]


@pytest.mark.check("H13")
async def test_a_grant_that_would_cool_down_far_too_long_is_due(store: Store) -> None:
    held = admission(keep_at=NOW)
    await store.admit(held)
    await store.claim_grant(held.grant, LEASE, NOW)
    await store.release_grant(KEY, 1, LEASE.owner, RefreshTrouble(0, 1, FAR))

    await store.shorten_waits(now=NOW, latest=LATEST)

    assert await due(store) == [KEY]


@pytest.mark.check("H13")
async def test_a_grant_under_a_lease_that_would_last_far_too_long_is_due(store: Store) -> None:
    held = admission(keep_at=NOW)
    await store.admit(held)
    await store.claim_grant(held.grant, Lease(b"one who refreshes", FAR), NOW)

    await store.shorten_waits(now=NOW, latest=LATEST)

    assert await due(store) == [KEY]


@pytest.mark.check("H13")
async def test_a_revocation_that_would_come_far_too_late_is_due(store: Store) -> None:
    await store.add_revocation(revocation(due_at=FAR))

    await store.shorten_waits(now=NOW, latest=LATEST)

    taken = await store.take_revocations(now=NOW, until=NOW + 60, limit=9)
    assert [record.grant_key for record in taken] == [KEY]


async def test_waits_within_reason_stay(store: Store) -> None:
    await store.admit(admission(keep_at=LATEST))
    await store.add_revocation(revocation(of=2, due_at=LATEST))
    await store.admit(admission(3, of=3, keep_at=None))

    await store.shorten_waits(now=NOW, latest=LATEST)

    assert await due(store, LATEST - 1) == []
    assert await due(store, LATEST) == [KEY]
    assert await store.take_revocations(now=LATEST - 1, until=LATEST, limit=9) == []
