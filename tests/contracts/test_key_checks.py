"""What a store remembers of the keys in use."""

import asyncio

import pytest
from contracts.places import two_machines

from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio


async def test_a_new_store_knows_no_key(store: Store) -> None:
    assert await store.key_checks() == {}


async def test_each_key_has_its_check(store: Store) -> None:
    await store.add_key_check("2027-01", bytes(range(256)))
    await store.add_key_check("2027-02", b"")

    assert await store.key_checks() == {"2027-01": bytes(range(256)), "2027-02": b""}


async def test_the_first_check_of_a_key_stays(store: Store) -> None:
    await store.add_key_check("one", b"first")

    await store.add_key_check("one", b"second")

    assert await store.key_checks() == {"one": b"first"}


async def test_of_many_who_note_a_key_one_does(store: Store) -> None:
    checks = [f"check {number}".encode() for number in range(20)]

    await asyncio.gather(*(store.add_key_check("one", check) for check in checks))

    assert set((await store.key_checks()).values()) < set(checks)


async def test_a_retired_key_is_forgotten(store: Store) -> None:
    await store.add_key_check("one", b"first")
    await store.add_key_check("two", b"second")

    await store.drop_key_check("one")
    await store.drop_key_check("three")

    assert await store.key_checks() == {"two": b"second"}


@two_machines
async def test_a_key_is_known_on_every_machine(store: Store, other_store: Store) -> None:
    await store.add_key_check("one", b"first")

    assert await other_store.key_checks() == {"one": b"first"}
