"""Grants: written over the revision that was seen, due when they say, ended once."""

import asyncio

import pytest
from contracts.children import children
from contracts.places import SHARED
from contracts.records import (
    KEY,
    NOW,
    found_grant,
    found_session,
    grant,
    key_of,
    revocation,
    session,
    sign_in,
    taken,
)
from msgspec.structs import replace

from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import Grant, Lease, Trouble
from webex_oauth.vault.rows import Change, Entry, Kind, Row

pytestmark = pytest.mark.anyio


async def seen(ledger: Ledger, number: int = 1) -> Entry[Grant]:
    found = await ledger.find_grant(key_of(number))
    assert found is not None
    return found


async def due(ledger: Ledger, now: int = NOW, limit: int = 9) -> list[bytes]:
    return list(await ledger.due_grants(now, limit))


async def test_a_grant_that_was_never_given_is_not_found(ledger: Ledger) -> None:
    assert await ledger.find_grant(KEY) is None
    assert not await ledger.has_grant(KEY)
    assert (await ledger.earlier_grant(KEY)) == Entry(None, 0)


@pytest.mark.parametrize("durably", [True, False])
async def test_a_grant_comes_back_as_it_was_written(ledger: Ledger, *, durably: bool) -> None:
    await sign_in(ledger)
    whole = replace(
        grant(version=2**48, ends_at=NOW + 2, keep_at=NOW + 3),
        rotates=False,
        reauth_reason="refresh_token_refused",
        is_access_refused=True,
        lease=Lease(b"owner", NOW + 4),
        trouble=Trouble(5, 6, NOW + 7),
    )

    written = await ledger.replace_grant(await seen(ledger), whole, durably=durably)

    assert written == await ledger.find_grant(KEY)
    assert written is not None
    assert written.record == whole


@pytest.mark.check("B09")
async def test_a_writer_that_saw_an_older_revision_changes_nothing(ledger: Ledger) -> None:
    await sign_in(ledger)
    old = await seen(ledger)
    assert await ledger.replace_grant(old, grant(version=2), durably=True)

    assert await ledger.replace_grant(old, grant(version=3), durably=True) is None

    assert await found_grant(ledger) == grant(version=2)


async def test_signing_in_again_and_ending_stop_writers_that_saw_the_grant_before(
    ledger: Ledger,
) -> None:
    await sign_in(ledger, 1)
    before = await seen(ledger)
    await sign_in(ledger, 2, version=2)
    assert await ledger.replace_grant(before, grant(version=3), durably=True) is None
    again = await seen(ledger)
    await ledger.end_grant(KEY, NOW)

    assert await ledger.replace_grant(again, grant(version=3), durably=True) is None

    assert await found_grant(ledger) is None


async def test_a_grant_made_anew_is_not_taken_for_the_one_before(ledger: Ledger) -> None:
    await sign_in(ledger, 1)
    before = await seen(ledger)
    await ledger.end_grant(KEY, NOW)
    await sign_in(ledger, 2)

    assert await ledger.replace_grant(before, grant(version=2), durably=True) is None


@pytest.mark.parametrize("place", SHARED, indirect=True)
@pytest.mark.check("B09")
async def test_three_processes_claim_each_of_20_versions_once(ledger: Ledger, place: str) -> None:
    await sign_in(ledger)
    racers = [("claim_grant", place, KEY.hex(), str(NOW), str(number)) for number in range(3)]

    with children(*racers) as racing:
        for racer in racing:
            racer.go_on()
        claimed = [int(racer.line()) for racer in racing]

    assert sum(claimed) == 20
    assert await found_grant(ledger) == grant(version=21)


async def test_a_write_touches_one_grant_only(ledger: Ledger) -> None:
    await sign_in(ledger, 1, of=1)
    await sign_in(ledger, 2, of=2)

    await ledger.replace_grant(await seen(ledger), grant(1, version=2), durably=False)

    assert await found_grant(ledger, 2) == grant(2)


async def test_a_grant_is_due_when_its_time_has_come(ledger: Ledger) -> None:
    await sign_in(ledger, 1, keep_at=NOW)
    await sign_in(ledger, 2, of=2, keep_at=None)

    assert await due(ledger, NOW - 1) == []
    assert await due(ledger) == [KEY]
    assert await due(ledger, NOW * 2) == [KEY]


async def test_the_longest_due_come_first_and_no_more_than_asked_for(ledger: Ledger) -> None:
    for number, keep_at in enumerate((NOW - 1, NOW - 3, NOW - 2, NOW - 4), start=1):
        await sign_in(ledger, number, of=number, keep_at=keep_at)

    assert await due(ledger, limit=3) == [key_of(4), key_of(2), key_of(3)]


async def test_a_grant_that_cools_down_or_was_renewed_is_due_later(ledger: Ledger) -> None:
    await sign_in(ledger, keep_at=NOW)
    cooling = replace(grant(keep_at=NOW), trouble=Trouble(0, 1, NOW + 9))
    await ledger.replace_grant(await seen(ledger), cooling, durably=False)
    assert await due(ledger, NOW + 8) == []
    assert await due(ledger, NOW + 9) == [KEY]

    renewed = grant(version=2, keep_at=NOW + 60)
    await ledger.replace_grant(await seen(ledger), renewed, durably=False)

    assert await due(ledger, NOW + 59) == []
    assert await due(ledger, NOW + 60) == [KEY]


async def test_an_ended_grant_is_queued_with_all_it_held_and_its_sessions_end(
    ledger: Ledger,
) -> None:
    await sign_in(ledger, 1)
    await sign_in(ledger, 2, version=2, keep_at=NOW)
    await sign_in(ledger, 3, of=2)

    assert await ledger.end_grant(KEY, NOW + 5) == revocation(version=2, due_at=NOW + 5)

    assert await found_grant(ledger) is None
    assert await due(ledger) == []
    assert await found_session(ledger, 1) is await found_session(ledger, 2) is None
    assert await found_session(ledger, 3) == session(3, of=2)
    queued = await taken(ledger, NOW + 5)
    assert [(one.version, one.tokens) for one in queued] == [(2, grant(version=2).tokens)]


async def test_a_grant_ends_once(ledger: Ledger) -> None:
    await sign_in(ledger)

    outcomes = await asyncio.gather(*(ledger.end_grant(KEY, NOW) for _ in range(20)))

    assert outcomes.count(revocation()) == 1
    assert outcomes.count(None) == 19
    assert len(await taken(ledger)) == 1


async def test_all_of_many_sessions_end_with_their_grant(ledger: Ledger) -> None:
    for number in range(520):
        await sign_in(ledger, number, version=number + 1)

    await ledger.end_grant(KEY, NOW)

    assert await ledger.sessions_of(KEY, 9) == []


async def test_a_grant_that_was_put_back_ends_again_and_gives_way_to_a_sign_in(
    ledger: Ledger,
) -> None:
    await sign_in(ledger, 1)
    (old,) = await ledger.rows.read(Row(Kind.GRANT, KEY))
    await ledger.end_grant(KEY, NOW)
    assert await ledger.rows.apply([Change(old, 0)], durably=False)

    assert await ledger.end_grant(KEY, NOW) == revocation()

    assert await ledger.rows.apply([Change(old, 0)], durably=False)
    await sign_in(ledger, 2, version=2, earlier=revocation())
    assert await found_grant(ledger) == grant(version=2)
    assert len(await taken(ledger)) == 1
