"""What a store does with tokens that have to be given back."""

import asyncio
from dataclasses import replace

import pytest
from contracts.places import two_machines
from contracts.rows import NOW, name, revocation

from webex_oauth.vault.records import RevocationRecord
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)
UNTIL = NOW + 60


async def take(store: Store, now: int = NOW, limit: int = 99) -> list[RevocationRecord]:
    return list(await store.take_revocations(now=now, until=now + 60, limit=limit))


async def test_what_is_queued_is_taken_when_it_is_due(store: Store) -> None:
    await store.add_revocation(revocation(ends_at=NOW + 99, due_at=NOW))

    assert await take(store, NOW - 1) == []
    assert await take(store) == [revocation(ends_at=NOW + 99, due_at=UNTIL, try_count=1)]


async def test_what_was_taken_is_left_alone_for_a_while(store: Store) -> None:
    await store.add_revocation(revocation())
    await take(store)

    assert await take(store, UNTIL - 1) == []
    assert await take(store, UNTIL) == [revocation(due_at=UNTIL + 60, try_count=2)]


async def test_what_is_queued_already_stays_as_it_is(store: Store) -> None:
    await store.add_revocation(revocation())
    await take(store)

    await store.add_revocation(revocation())

    assert await take(store) == []


async def test_two_versions_of_a_grant_are_queued_side_by_side(store: Store) -> None:
    await store.add_revocation(revocation(version=1))
    await store.add_revocation(revocation(version=2))

    assert {record.version for record in await take(store)} == {1, 2}


async def test_no_more_are_taken_than_asked_for_and_the_longest_due_first(store: Store) -> None:
    for number in range(1, 6):
        await store.add_revocation(revocation(number, due_at=NOW - number))

    first, second = await take(store, limit=3), await take(store, limit=3)

    assert {record.grant_key for record in first} == {name("grant", n) for n in (3, 4, 5)}
    assert {record.grant_key for record in second} == {name("grant", n) for n in (1, 2)}


async def test_a_postponed_one_is_due_later(store: Store) -> None:
    await store.add_revocation(revocation())
    await take(store)

    await store.postpone_revocation(KEY, 1, NOW + 600)

    assert await take(store, NOW + 599) == []
    assert await take(store, NOW + 600) == [revocation(due_at=NOW + 660, try_count=2)]


async def test_postponing_one_leaves_the_others_due(store: Store) -> None:
    await store.add_revocation(revocation(version=1))
    await store.add_revocation(revocation(version=2))

    await store.postpone_revocation(KEY, 1, NOW + 600)

    assert [record.version for record in await take(store)] == [2]


async def test_one_that_is_gone_cannot_be_postponed(store: Store) -> None:
    await store.postpone_revocation(KEY, 1, NOW)

    assert await take(store) == []


async def test_a_dropped_one_is_never_taken_again(store: Store) -> None:
    await store.add_revocation(revocation(version=1))
    await store.add_revocation(revocation(version=2))

    await store.drop_revocation(KEY, 1)
    await store.drop_revocation(KEY, 1)

    assert [record.version for record in await take(store)] == [2]


async def test_takers_at_once_get_different_ones(store: Store) -> None:
    await check_takers([store] * 10)


@two_machines
async def test_takers_on_two_machines_get_different_ones(store: Store, other_store: Store) -> None:
    await check_takers([store, other_store] * 5)


async def check_takers(stores: list[Store]) -> None:
    for number in range(1, 41):
        await stores[0].add_revocation(revocation(number))

    taken = await asyncio.gather(*(take(store, limit=4) for store in stores))

    got = [record for records in taken for record in records]
    assert len({record.grant_key for record in got}) == len(got)
    expected = [replace(revocation(n), due_at=UNTIL, try_count=1) for n in range(1, 41)]
    rest = [record for _ in range(10) for record in await take(stores[0], limit=4)]
    assert sorted(got + rest, key=by_key) == sorted(expected, key=by_key)


def by_key(record: RevocationRecord) -> bytes:
    return record.grant_key
