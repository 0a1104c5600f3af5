"""All rows come under the primary key; a key leaves once it is unused, or with its rows."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest
from ledgers import events
from msgspec.structs import replace
from unit.vault.keys import KeyFixture, no_wait, person

from webex_oauth.errors import ConfigurationError, KeyUnavailable, StoreUnavailable
from webex_oauth.vault.key_agreement import SETTLE_SECONDS, check_keys, keys_in_use
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.reencryption import (
    MOST_PASSES,
    Outcome,
    Reencryption,
    Tally,
    check_unused,
    forget,
    rows_by_key,
)
from webex_oauth.vault.rescue import Spooled
from webex_oauth.vault.rows import Change, Kind, Row
from webex_oauth.vault.sealing import Context, Key, KeyRing, Sealer

pytestmark = [pytest.mark.anyio, pytest.mark.check("F03")]


@pytest.fixture
def fixture(tmp_path: Path) -> KeyFixture:
    return KeyFixture(tmp_path / "keys" / "keys")


async def reencrypt(
    fixture: KeyFixture, sleep: Callable[[float], Awaitable[None]] = no_wait
) -> Tally:
    sealer = fixture.fresh_sealer()
    work = Reencryption(fixture.rows, fixture.spool, sealer, lambda _: None, sleep=sleep)
    return await work.run()


def on_settling(act: Callable[[], Awaitable[object]]) -> Callable[[float], Awaitable[None]]:
    """Return a sleep that acts where processes are given the time to look at their keys."""

    async def sleep(seconds: float) -> None:
        if seconds == SETTLE_SECONDS:
            await act()

    return sleep


async def test_every_kind_of_row_and_the_spool_come_under_the_primary_key(
    fixture: KeyFixture,
) -> None:
    grant = await fixture.fill()
    before, new = fixture.sealed(), fixture.next_key()

    tally = await reencrypt(fixture)

    assert fixture.key_ids() == {new: 6}
    assert tally[Outcome.REENCRYPTED] == 6
    sealer = fixture.fresh_sealer()
    for old, row in zip(before, fixture.sealed(), strict=True):
        assert replace(row, body=old.body, rev=old.rev) == old
        context = Context(row.kind.value, row.name)
        assert sealer.open(row.body, context) == sealer.open(old.body, context)
    found = await Ledger(fixture.rows, sealer, 600).find_grant(grant.key)
    assert found
    assert found.record == grant


async def test_people_are_found_by_their_address_under_the_new_key_alone(
    fixture: KeyFixture,
) -> None:
    alice = await fixture.sign_in(1, email="alice@acme.example")
    new = fixture.next_key()

    await reencrypt(fixture)

    alone = Sealer(KeyRing(fixture.fresh_sealer().keys.find(new)), os.urandom)
    (found,) = await Ledger(fixture.rows, alone, 600).grants_with_email("Alice@acme.example")
    assert found.record == alice
    assert (await reencrypt(fixture))[Outcome.REENCRYPTED] == 0


async def test_more_rows_than_a_batch_are_all_done(fixture: KeyFixture) -> None:
    for number in range(120):
        await fixture.sign_in(number)
    new = fixture.next_key()

    tally = await reencrypt(fixture)

    assert fixture.key_ids() == {new: 480}
    assert tally[Outcome.REENCRYPTED] == 480


async def test_if_nothing_is_old_nothing_is_written(fixture: KeyFixture) -> None:
    await fixture.fill()
    before = fixture.sealed()

    tally = await reencrypt(fixture)

    assert tally[Outcome.REENCRYPTED] == 0
    assert fixture.sealed() == before


async def test_what_a_slow_process_still_wrote_is_found(fixture: KeyFixture) -> None:
    await fixture.fill()
    slow, new, naps = fixture.sealer, fixture.next_key(), count(1)

    async def write_late() -> None:
        nap = next(naps)
        if nap <= 2:
            await fixture.sign_in(100 + nap, slow)

    await reencrypt(fixture, on_settling(write_late))

    assert set(fixture.key_ids()) == {new}
    assert next(naps) == 4


async def test_a_process_that_keeps_the_old_key_is_reported(fixture: KeyFixture) -> None:
    slow, passes = fixture.sealer, count()
    fixture.next_key()

    with pytest.raises(ConfigurationError, match="give every process the same keys"):
        await reencrypt(fixture, on_settling(lambda: fixture.sign_in(next(passes), slow)))

    assert next(passes) == MOST_PASSES - 1


async def test_a_row_written_meanwhile_is_neither_overwritten_nor_forgotten(
    fixture: KeyFixture,
) -> None:
    grant = await fixture.sign_in(1)
    slow, new = Ledger(fixture.rows, fixture.sealer, 600), fixture.next_key()
    later = replace(grant, version=2)
    races = iter([Row(Kind.GRANT, grant.key, body=slow.seal_grant(later))])

    def overtake(change: Change) -> None:
        if change.row.kind is Kind.GRANT and (row := next(races, None)):
            fixture.rows.write_now(row)

    fixture.rows.before_write = overtake

    await reencrypt(fixture)

    assert set(fixture.key_ids()) == {new}
    found = await Ledger(fixture.rows, fixture.fresh_sealer(), 600).find_grant(grant.key)
    assert found
    assert found.record == later


async def test_a_row_that_does_not_open_is_left_and_counted(fixture: KeyFixture) -> None:
    await fixture.sign_in(1)
    row = fixture.sealed()[0]
    broken = fixture.break_row(row)
    fixture.next_key()

    tally = await reencrypt(fixture)

    (left,) = await fixture.rows.read(row)
    assert left.body == broken
    assert (tally[Outcome.UNOPENED], tally[Outcome.REENCRYPTED]) == (1, 3)


def fail_every(fixture: KeyFixture, number: int) -> None:
    """Let every so-many-th write fail."""
    writes = count(1)

    def fail(_: Change) -> None:
        if next(writes) % number == 0:
            raise StoreUnavailable("away")

    fixture.rows.before_write = fail


async def test_an_outage_of_the_store_is_survived(fixture: KeyFixture) -> None:
    for number in (1, 2):
        await fixture.sign_in(number)
    new = fixture.next_key()
    fail_every(fixture, 4)

    tally = await reencrypt(fixture)

    assert fixture.key_ids() == {new: 8}
    assert tally[Outcome.REENCRYPTED] == 8


async def test_a_store_that_stays_away_is_reported(fixture: KeyFixture) -> None:
    await fixture.sign_in(1)
    fixture.next_key()
    fail_every(fixture, 1)

    with pytest.raises(StoreUnavailable):
        await reencrypt(fixture)


async def test_an_interrupted_run_is_resumed_where_it_was(fixture: KeyFixture) -> None:
    for number in range(60):
        await fixture.sign_in(number)
    new = fixture.next_key()

    async def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await reencrypt(fixture, stop)
    done = fixture.key_ids()[new]
    tally = await reencrypt(fixture)

    assert done == 60
    assert tally[Outcome.REENCRYPTED] == 240 - done
    assert fixture.key_ids() == {new: 240}


# Keys that leave


async def test_rows_are_counted_by_their_keys(fixture: KeyFixture) -> None:
    await fixture.fill()
    old, new = fixture.keys.primary.id, fixture.next_key()
    await fixture.sign_in(2, fixture.fresh_sealer())

    assert await rows_by_key(fixture.rows, fixture.spool) == {old: 6, new: 4}


async def check_old_key(
    fixture: KeyFixture, old: str, sleep: Callable[[float], Awaitable[None]] = no_wait
) -> None:
    await check_unused(fixture.rows, fixture.spool, fixture.fresh_sealer(), old, sleep=sleep)


@pytest.mark.parametrize(("is_only_spooled", "count"), [(False, 6), (True, 1)])
async def test_a_key_is_needed_while_anything_is_under_it(
    fixture: KeyFixture, count: int, *, is_only_spooled: bool
) -> None:
    if is_only_spooled:
        body = Ledger(fixture.rows, fixture.sealer, 600).seal_grant(person(1))
        fixture.spool.add(Spooled(person(1).key, body))
    else:
        await fixture.fill()
    old = fixture.keys.primary.id
    fixture.next_key()

    with pytest.raises(KeyUnavailable, match=f"'{old}' is still needed .rows under it: {count}"):
        await check_old_key(fixture, old)


async def test_what_is_written_during_the_check_is_noticed(fixture: KeyFixture) -> None:
    old, slow = fixture.keys.primary.id, fixture.sealer
    fixture.next_key()

    with pytest.raises(KeyUnavailable, match="rows under it: 4"):
        await check_old_key(fixture, old, on_settling(lambda: fixture.sign_in(1, slow)))


async def test_after_a_re_encryption_no_readable_row_needs_the_old_key(
    fixture: KeyFixture,
) -> None:
    await fixture.fill()
    old = fixture.keys.primary.id
    broken = fixture.break_row(fixture.sealed()[0])
    fixture.next_key()
    await reencrypt(fixture)

    await check_old_key(fixture, old)

    assert [row.body for row in fixture.sealed() if row.body == broken]
    assert (await rows_by_key(fixture.rows, fixture.spool))[old] == 1


@pytest.mark.check("E05")
async def test_a_lost_key_takes_everything_under_it_along(
    fixture: KeyFixture, caplog: pytest.LogCaptureFixture
) -> None:
    await fixture.fill()
    lost = fixture.keys.primary.id
    await check_keys(fixture.rows, fixture.sealer)
    sealer = Sealer(KeyRing(Key("k-fresh", os.urandom(32))), os.urandom)
    await fixture.sign_in(2, sealer)

    ended = await forget(fixture.rows, fixture.spool, lost, sealer)

    assert fixture.key_ids() == {"k-fresh": 4}
    assert await keys_in_use(fixture.rows) == {}
    kinds = ("spooled", "grants", "revocations", "sign-ins")
    assert ended == dict.fromkeys((*kinds, "events"), 1), "a session goes with its grant"
    [record] = [one for one in caplog.records if one.name.startswith("webex_oauth.")]
    assert record.levelno == logging.WARNING
    assert f"lost key {lost} was forgotten" in record.getMessage()


async def test_what_ends_with_a_lost_key_is_told_under_the_key_that_seals(
    fixture: KeyFixture,
) -> None:
    await fixture.sign_in(1)
    lost = fixture.keys.primary.id
    ring = KeyRing(Key("k-fresh", os.urandom(32)), fixture.keys.keys)
    await check_keys(fixture.rows, Sealer(ring, os.urandom))
    sealer = Sealer(KeyRing(ring.primary), os.urandom)

    await forget(fixture.rows, fixture.spool, lost, sealer)

    found = await events(Ledger(fixture.rows, sealer, 600))
    assert [(one.kind, one.person_id, one.reason) for one in found] == [
        ("session.ended", "", "key_lost"),
        ("grant.revoked", "", "key_lost"),
    ]


async def test_a_grant_of_a_lost_key_takes_its_sessions_along(fixture: KeyFixture) -> None:
    grant, lost = await fixture.sign_in(1), fixture.keys.primary.id
    for number in range(250):
        row = Row(Kind.SESSION, number.to_bytes(32, "big"), body=b"fresh", group=grant.key)
        fixture.rows.write_now(row)

    await asyncio.wait_for(forget(fixture.rows, fixture.spool, lost, None), 10)

    assert fixture.sealed() == []
