"""What a store does when everything in it gets a new seal while it is in use."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from contracts.rows import NOW, admission, attempt, grant, name, revocation, session

from webex_oauth.vault.records import (
    AttemptRecord,
    FinishedAttempt,
    GrantRecord,
    Lease,
    RevocationRecord,
    SealedRecord,
    SessionRecord,
    name_of,
)
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)
NUMBERS = range(1, 8)
LEASE = Lease(b"one who refreshes", NOW + 30)


async def fill(store: Store) -> None:
    """Put rows 1 to 7 of every kind there."""
    for number in NUMBERS:
        await store.add_attempt(attempt(number), at_most=99, now=NOW)
        await store.admit(admission(number, of=number))
        await store.add_revocation(revocation(number, version=2**40 - number))


ROWS: dict[type[SealedRecord], Callable[[int], SealedRecord]] = {
    AttemptRecord: attempt,
    SessionRecord: lambda number: session(number, of=number),
    GrantRecord: grant,
    RevocationRecord: lambda number: revocation(number, version=2**40 - number),
}
KINDS = pytest.mark.parametrize("kind", ROWS)


async def everything(store: Store, kind: type[Any], page: int) -> list[Any]:
    found: list[Any] = []
    after = b""
    while rows := await store.scan(kind, after=after, limit=page):
        assert len(rows) <= page
        found += rows
        after = name_of(rows[-1])
    return found


@KINDS
@pytest.mark.parametrize("page", [1, 3, 7, 100])
async def test_page_by_page_every_row_is_seen_once_in_order(
    store: Store, kind: type[Any], page: int
) -> None:
    await fill(store)

    found = await everything(store, kind, page)

    expected = sorted((ROWS[kind](number) for number in NUMBERS), key=name_of)
    assert found == expected


@KINDS
async def test_an_empty_store_has_nothing_to_list(store: Store, kind: type[Any]) -> None:
    assert await everything(store, kind, page=9) == []


async def test_versions_are_listed_in_the_order_of_their_numbers(store: Store) -> None:
    for version in (256, 2**48, 1, 255, 2**31):
        await store.add_revocation(revocation(version=version))

    found = await everything(store, RevocationRecord, page=2)

    assert [record.version for record in found] == [1, 255, 256, 2**31, 2**48]


@KINDS
async def test_a_row_gets_a_new_seal_and_nothing_else_changes(
    store: Store, kind: type[Any]
) -> None:
    await fill(store)
    before = await everything(store, kind, page=99)

    assert await store.reseal(before[2], b"a new seal")

    before[2] = replace(before[2], sealed=b"a new seal")
    assert await everything(store, kind, page=99) == before


@KINDS
async def test_a_row_that_holds_something_else_by_now_is_left_alone(
    store: Store, kind: type[Any]
) -> None:
    await fill(store)
    before = await everything(store, kind, page=99)

    assert not await store.reseal(replace(before[2], sealed=b"an older seal"), b"a new seal")

    assert await everything(store, kind, page=99) == before


@KINDS
async def test_a_row_that_is_gone_is_not_brought_back(store: Store, kind: type[Any]) -> None:
    assert not await store.reseal(ROWS[kind](1), b"a new seal")

    assert await everything(store, kind, page=99) == []


async def test_a_lease_outlives_a_new_seal(store: Store) -> None:
    await store.admit(admission())
    claimed = await store.claim_grant(grant(), LEASE, NOW)
    assert claimed is not None

    assert await store.reseal(grant(), b"a new seal")

    assert await store.find_grant(KEY) == replace(claimed, sealed=b"a new seal")


async def test_a_finished_attempt_outlives_a_new_seal(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=9, now=NOW)
    names = (name("state", 1), name("browser", 1), NOW)
    await store.take_attempt(*names)
    await store.admit(admission())

    await store.reseal(attempt(), b"a new seal")

    resealed = replace(attempt(), sealed=b"a new seal")
    assert await store.take_attempt(*names) == FinishedAttempt(resealed, name("session", 1))


async def test_a_touched_session_gets_its_new_seal(store: Store) -> None:
    await store.admit(admission())
    await store.touch_session(name("session", 1), NOW + 60)

    assert await store.reseal(session(), b"a new seal")

    found = await store.find_session(name("session", 1))
    assert found == replace(session(), sealed=b"a new seal", seen_at=NOW + 60)


@pytest.mark.parametrize("is_resealed_first", [True, False])
async def test_a_new_version_wins_over_a_new_seal(store: Store, *, is_resealed_first: bool) -> None:
    await store.admit(admission())
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: store.reseal(grant(), b"a new seal"),
        lambda: store.replace_grant(grant(version=2), 1),
    ]

    for act in acts if is_resealed_first else reversed(acts):
        await act()

    assert await store.find_grant(KEY) == grant(version=2)


async def test_resealing_beside_refreshes_loses_no_version(store: Store) -> None:
    await store.admit(admission())

    async def refresh() -> None:
        for version in range(2, 42):
            await store.replace_grant(grant(version=version), version - 1)

    async def reseal() -> None:
        for _ in range(40):
            seen = await store.find_grant(KEY)
            assert seen is not None
            await store.reseal(seen, seen.sealed + b".")

    await asyncio.gather(refresh(), reseal())

    left = await store.find_grant(KEY)
    assert left is not None
    assert left.version == 41
    assert left.sealed.rstrip(b".") == grant(version=41).sealed.rstrip(b".")
