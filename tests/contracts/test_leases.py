"""What a store does when several would refresh one grant."""

import asyncio
from dataclasses import replace

import pytest
from contracts.children import children
from contracts.places import SHARED, two_machines
from contracts.rows import NOW, admission, grant, name

from webex_oauth.errors import StoreConflict
from webex_oauth.vault.records import GrantRecord, Lease, RefreshTrouble
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)
LEASE = Lease(b"one who refreshes", NOW + 30)
OTHER = Lease(b"another", NOW + 40)
TROUBLE = RefreshTrouble(presented_count=4, failure_count=2, retry_at=NOW + 9)

SEEN = grant()
CLAIMED = replace(SEEN, lease_owner=LEASE.owner, lease_until=LEASE.until, presented_count=1)


async def claim(
    store: Store, lease: Lease = LEASE, *, seen: GrantRecord = SEEN, now: int = NOW
) -> GrantRecord | None:
    return await store.claim_grant(seen, lease, now)


async def seen_now(store: Store) -> GrantRecord:
    seen = await store.find_grant(KEY)
    assert seen is not None
    return seen


async def test_a_claim_gives_the_row_with_the_lease_and_counts(store: Store) -> None:
    await store.admit(admission())

    assert await claim(store) == CLAIMED

    assert await store.find_grant(KEY) == CLAIMED


async def test_a_grant_that_is_not_there_cannot_be_claimed(store: Store) -> None:
    assert await claim(store) is None


async def test_a_version_that_is_over_cannot_be_claimed(store: Store) -> None:
    await store.admit(admission(version=2))

    assert await claim(store, seen=grant(version=1)) is None

    assert await store.find_grant(KEY) == grant(version=2)


TROUBLES = [RefreshTrouble(1, 0, 0), RefreshTrouble(0, 1, 0), RefreshTrouble(0, 0, NOW + 9)]


@pytest.mark.parametrize("trouble", TROUBLES, ids=["presented", "failed", "told to wait"])
async def test_a_row_that_was_seen_before_others_had_trouble_cannot_be_claimed(
    store: Store, trouble: RefreshTrouble
) -> None:
    await store.admit(admission())
    await claim(store)
    await store.release_grant(KEY, 1, LEASE.owner, trouble)

    assert await claim(store, OTHER, seen=SEEN) is None

    left = await store.find_grant(KEY)
    assert left is not None
    assert (left.lease_owner, left.trouble) == (None, trouble)


async def test_a_lease_that_lasts_keeps_everybody_else_out(store: Store) -> None:
    await store.admit(admission())
    await claim(store)

    assert await claim(store, OTHER, seen=CLAIMED, now=LEASE.until - 1) is None

    assert await store.find_grant(KEY) == CLAIMED


async def test_a_lease_keeps_its_owner_out_too(store: Store) -> None:
    await store.admit(admission())
    await claim(store)

    assert await claim(store, seen=CLAIMED) is None


async def test_a_lease_that_has_lapsed_is_taken_over(store: Store) -> None:
    await store.admit(admission())
    await claim(store)

    taken = await claim(store, OTHER, seen=CLAIMED, now=LEASE.until)

    assert taken == replace(
        CLAIMED, lease_owner=OTHER.owner, lease_until=OTHER.until, presented_count=2
    )


async def test_a_lease_is_renewed_and_nothing_else_changes(store: Store) -> None:
    await store.admit(admission())
    await claim(store)

    assert await store.renew_lease(KEY, 1, Lease(LEASE.owner, NOW + 99))

    assert await store.find_grant(KEY) == replace(CLAIMED, lease_until=NOW + 99)


async def test_a_renewal_that_comes_late_shortens_no_lease(store: Store) -> None:
    await store.admit(admission())
    await claim(store)

    assert await store.renew_lease(KEY, 1, Lease(LEASE.owner, NOW + 1))

    assert await store.find_grant(KEY) == CLAIMED


@pytest.mark.check("B09")
async def test_a_lease_that_is_gone_cannot_be_renewed(store: Store) -> None:
    longer = Lease(LEASE.owner, NOW + 99)
    assert not await store.renew_lease(KEY, 1, longer)
    await store.admit(admission())
    assert not await store.renew_lease(KEY, 1, longer)
    await claim(store)
    assert not await store.renew_lease(KEY, 2, longer)
    taken = await claim(store, OTHER, seen=CLAIMED, now=LEASE.until)

    assert not await store.renew_lease(KEY, 1, longer)

    assert await store.find_grant(KEY) == taken


@pytest.mark.check("B09")
async def test_a_lease_that_was_renewed_keeps_out_who_saw_it_earlier(store: Store) -> None:
    await store.admit(admission())
    await claim(store)
    await store.renew_lease(KEY, 1, Lease(LEASE.owner, NOW + 99))

    assert await claim(store, OTHER, seen=CLAIMED, now=LEASE.until) is None


async def test_a_renewed_lease_keeps_the_keeper_away(store: Store) -> None:
    await store.admit(admission(keep_at=NOW))
    await claim(store, seen=grant(keep_at=NOW))
    await store.renew_lease(KEY, 1, Lease(LEASE.owner, NOW + 99))

    assert await store.due_grants(now=NOW + 98, limit=1) == []
    assert len(await store.due_grants(now=NOW + 99, limit=1)) == 1


@pytest.mark.check("B09")
async def test_of_50_claims_one_is_given(store: Store) -> None:
    await store.admit(admission())
    leases = [Lease(f"owner {number}".encode(), NOW + 30) for number in range(50)]

    given = await asyncio.gather(*(claim(store, lease) for lease in leases))

    winners = [row for row in given if row is not None]
    assert winners == [await store.find_grant(KEY)]
    assert winners[0].presented_count == 1


@two_machines
@pytest.mark.check("B09")
async def test_of_50_claims_on_two_machines_one_is_given(store: Store, other_store: Store) -> None:
    await store.admit(admission())
    stores = [store, other_store] * 25

    given = await asyncio.gather(
        *(claim(at, Lease(f"{number}".encode(), NOW + 30)) for number, at in enumerate(stores))
    )

    winners = [row for row in given if row is not None]
    assert winners == [await store.find_grant(KEY)] == [await other_store.find_grant(KEY)]


@pytest.mark.parametrize("place", SHARED, indirect=True)
@pytest.mark.check("B09")
async def test_three_processes_claim_each_of_20_versions_once(store: Store, place: str) -> None:
    await store.admit(admission())
    names = [("claim_grant", place, KEY.hex(), str(NOW), str(number)) for number in range(3)]

    with children(*names) as racers:
        for racer in racers:
            racer.go_on()
        claimed = [int(racer.line()) for racer in racers]

    assert sum(claimed) == 20
    ended = await store.find_grant(KEY)
    assert ended is not None
    assert (ended.version, ended.lease_owner, ended.presented_count) == (21, None, 0)


async def test_a_released_grant_keeps_what_the_refresh_left(store: Store) -> None:
    await store.admit(admission())
    await claim(store)

    assert await store.release_grant(KEY, 1, LEASE.owner, TROUBLE)

    left = replace(grant(), presented_count=4, failure_count=2, retry_at=NOW + 9)
    assert await store.find_grant(KEY) == left


async def test_a_released_grant_can_be_claimed_at_once(store: Store) -> None:
    await store.admit(admission())
    await claim(store)
    await store.release_grant(KEY, 1, LEASE.owner, TROUBLE)

    claimed = await claim(store, OTHER, seen=await seen_now(store))

    assert claimed is not None
    assert (claimed.presented_count, claimed.failure_count, claimed.retry_at) == (5, 2, NOW + 9)


async def test_a_lease_that_nobody_took_over_can_be_released_late(store: Store) -> None:
    await store.admit(admission())
    await claim(store)

    assert await store.release_grant(KEY, 1, LEASE.owner, TROUBLE)
    assert not await store.release_grant(KEY, 1, LEASE.owner, TROUBLE)


@pytest.mark.check("B09")
async def test_a_stranger_cannot_release_a_lease(store: Store) -> None:
    await store.admit(admission())
    await claim(store)

    assert not await store.release_grant(KEY, 1, OTHER.owner, TROUBLE)

    assert await store.find_grant(KEY) == CLAIMED


async def test_who_was_taken_over_cannot_release(store: Store) -> None:
    await store.admit(admission())
    await claim(store)
    taken = await claim(store, OTHER, seen=CLAIMED, now=LEASE.until)

    assert not await store.release_grant(KEY, 1, LEASE.owner, TROUBLE)

    assert await store.find_grant(KEY) == taken


async def test_a_version_that_is_over_cannot_be_released(store: Store) -> None:
    await store.admit(admission())
    await claim(store)
    await store.replace_grant(replace(CLAIMED, version=2), 1)

    assert not await store.release_grant(KEY, 1, LEASE.owner, TROUBLE)


async def test_a_grant_nobody_has_claimed_cannot_be_released(store: Store) -> None:
    await store.admit(admission())

    assert not await store.release_grant(KEY, 1, LEASE.owner, TROUBLE)
    assert not await store.release_grant(name("grant", 2), 1, LEASE.owner, TROUBLE)


async def test_a_new_version_has_no_lease_and_no_trouble(store: Store) -> None:
    await store.admit(admission())
    await store.release_grant(KEY, 1, LEASE.owner, TROUBLE)
    await claim(store)

    await store.replace_grant(grant(version=2, keep_at=NOW + 5), 1)

    assert await store.find_grant(KEY) == grant(version=2, keep_at=NOW + 5)


@pytest.mark.check("B09")
async def test_the_write_of_who_was_taken_over_is_refused(store: Store) -> None:
    await store.admit(admission())
    await claim(store)
    await claim(store, OTHER, seen=CLAIMED, now=LEASE.until)
    await store.replace_grant(grant(version=2, ends_at=NOW + 99), 1)

    with pytest.raises(StoreConflict):
        await store.replace_grant(grant(version=2), 1)

    assert await store.find_grant(KEY) == grant(version=2, ends_at=NOW + 99)


async def test_signing_in_again_ends_a_lease(store: Store) -> None:
    await store.admit(admission(1))
    await claim(store)

    await store.admit(admission(2, version=2, expected_version=1))

    assert await store.find_grant(KEY) == grant(version=2)
    with pytest.raises(StoreConflict):
        await store.replace_grant(grant(version=2, ends_at=NOW), 1)


async def test_a_claimed_grant_can_be_ended(store: Store) -> None:
    await store.admit(admission())
    await claim(store)

    await store.end_grant(KEY, now=NOW)

    assert not await store.release_grant(KEY, 1, LEASE.owner, TROUBLE)
    with pytest.raises(StoreConflict):
        await store.replace_grant(grant(version=2), 1)
