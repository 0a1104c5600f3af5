"""What a store does with grants."""

import asyncio

import pytest
from contracts.rows import NOW, admission, grant, name

from webex_oauth.errors import StoreConflict
from webex_oauth.vault.records import GrantRecord
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)


async def test_a_grant_that_was_never_given_is_not_found(store: Store) -> None:
    assert await store.find_grant(KEY) is None


async def test_a_grant_comes_back_as_it_was_written(store: Store) -> None:
    times = (NOW + 1, NOW + 2, NOW + 3)
    written = GrantRecord(KEY, 2**48, bytes(range(256)), *times, b"owner", NOW + 4, 5, 6, NOW + 7)
    await store.admit(admission())
    await store.replace_grant(written, 1)

    assert await store.find_grant(KEY) == written


async def test_a_writer_that_saw_an_older_version_is_refused(store: Store) -> None:
    await store.admit(admission(version=7))
    await store.replace_grant(grant(version=8), 7)

    with pytest.raises(StoreConflict):
        await store.replace_grant(grant(version=8), 7)


async def test_a_refused_write_changes_nothing(store: Store) -> None:
    await store.admit(admission(version=7))

    with pytest.raises(StoreConflict):
        await store.replace_grant(grant(version=9), 8)

    assert await store.find_grant(KEY) == grant(version=7)


async def test_a_deleted_grant_is_not_written_again(store: Store) -> None:
    await store.admit(admission(version=7))
    await store.end_grant(KEY, now=NOW)

    with pytest.raises(StoreConflict):
        await store.replace_grant(grant(version=8), 7)

    assert await store.find_grant(KEY) is None


async def test_a_grant_cannot_be_replaced_from_nothing(store: Store) -> None:
    with pytest.raises(StoreConflict):
        await store.replace_grant(grant(), 0)

    assert await store.find_grant(KEY) is None


async def test_of_50_writers_with_one_version_one_wins(store: Store) -> None:
    await store.admit(admission(version=1))

    outcomes = await asyncio.gather(
        *(store.replace_grant(grant(version=version), 1) for version in range(2, 52)),
        return_exceptions=True,
    )

    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, StoreConflict) for outcome in outcomes) == 49


async def test_a_write_touches_one_grant_only(store: Store) -> None:
    await store.admit(admission(1, of=1))
    await store.admit(admission(2, of=2))

    await store.replace_grant(grant(1, version=2), 1)

    assert await store.find_grant(name("grant", 2)) == grant(2)
