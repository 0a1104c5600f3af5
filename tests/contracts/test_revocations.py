"""Revocations: tokens that have to be revoked, each taken by one process at a time."""

import asyncio

import pytest
from contracts.records import KEY, NOW, key_of, revocation, taken
from msgspec.structs import replace

from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import Revocation

pytestmark = pytest.mark.anyio

UNTIL = NOW + 60


def after(tries: int, revocation: Revocation, due_at: int) -> Revocation:
    return replace(revocation, try_count=tries, due_at=due_at)


async def test_what_is_queued_is_taken_when_it_is_due_and_then_left_alone(ledger: Ledger) -> None:
    await ledger.add_revocation(revocation())

    assert await taken(ledger, NOW - 1) == []
    assert await taken(ledger) == [after(1, revocation(), UNTIL)]
    assert await taken(ledger, UNTIL - 1) == []
    assert await taken(ledger, UNTIL) == [after(2, revocation(), UNTIL + 60)]


async def test_what_is_queued_already_stays_as_it_is(ledger: Ledger) -> None:
    await ledger.add_revocation(revocation())
    await taken(ledger)

    await ledger.add_revocation(revocation())

    assert await taken(ledger) == []


async def test_no_more_are_taken_than_asked_for_and_the_longest_due_first(ledger: Ledger) -> None:
    for number in range(1, 6):
        await ledger.add_revocation(revocation(number, due_at=NOW - number))

    first, second = await taken(ledger, limit=3), await taken(ledger, limit=3)

    assert {one.grant_key for one in first} == {key_of(number) for number in (3, 4, 5)}
    assert {one.grant_key for one in second} == {key_of(number) for number in (1, 2)}


async def test_a_postponed_one_is_due_later_and_the_other_versions_are_not(ledger: Ledger) -> None:
    await ledger.add_revocation(revocation(version=1))
    await ledger.add_revocation(revocation(version=2))
    first, second = sorted(await taken(ledger), key=lambda one: one.version)

    await ledger.postpone_revocation(first, NOW + 600)

    assert await taken(ledger, NOW + 599) == [after(2, second, NOW + 659)]
    assert await taken(ledger, NOW + 600) == [after(2, first, NOW + 660)]


async def test_one_that_is_gone_can_be_postponed_and_dropped_in_vain(ledger: Ledger) -> None:
    await ledger.postpone_revocation(revocation(), NOW)
    await ledger.drop_revocation(revocation())

    assert await taken(ledger) == []


async def test_a_dropped_one_is_never_taken_again(ledger: Ledger) -> None:
    await ledger.add_revocation(revocation(version=1))
    await ledger.add_revocation(revocation(version=2))

    await ledger.drop_revocation(revocation(version=1))

    assert [one.version for one in await taken(ledger)] == [2]


async def test_takers_on_two_machines_get_different_ones(
    ledger: Ledger, other_ledger: Ledger
) -> None:
    for number in range(40):
        await ledger.add_revocation(revocation(number))

    batches = await asyncio.gather(
        *(taken(one, limit=4) for _ in range(5) for one in (ledger, other_ledger))
    )

    got = [one.grant_key for batch in batches for one in batch]
    assert len(set(got)) == len(got)
    rest = [one.grant_key for _ in range(40) for one in await taken(ledger, limit=4)]
    assert sorted(got + rest) == sorted(key_of(number) for number in range(40))


async def test_a_taken_one_holds_the_tokens_and_their_end(ledger: Ledger) -> None:
    whole = replace(revocation(version=2**40), ends_at=NOW + 99)
    await ledger.add_revocation(whole)

    assert await taken(ledger) == [after(1, whole, UNTIL)]
    assert whole.name == KEY + (2**40).to_bytes(8, "big")
