"""What every database of rows does for several callers: races, cancellation, other machines."""

import asyncio
import time

import pytest
from contracts.children import children
from contracts.places import SHARED
from contracts.samples import NOW, absent, add, deleted, read_one, rewritten, row, store
from msgspec.structs import replace

from webex_oauth.vault.rows import Change, Kind, Rows

pytestmark = pytest.mark.anyio

CALLERS = 8
ROUNDS = 5


async def count_up(rows: Rows, counter_number: int) -> int:
    """Write the next revision of a row that others write too, until it succeeded ROUNDS times."""
    done = 0
    while done < ROUNDS:
        seen = await read_one(rows, row(counter_number))
        done += await rows.apply([rewritten(seen)], durably=bool(done % 2))
        await asyncio.sleep(0)
    return done


async def test_a_revision_is_written_over_once(rows: Rows) -> None:
    await store(rows, row())

    outcomes = await asyncio.gather(
        *(rows.apply([rewritten(row(), body=b"%d" % n)], durably=False) for n in range(20))
    )

    assert sorted(outcomes) == [False] * 19 + [True]
    assert (await read_one(rows, row())).body == b"%d" % outcomes.index(True)


async def test_a_row_is_added_once(rows: Rows) -> None:
    outcomes = await asyncio.gather(*(rows.apply(add(row()), durably=False) for _ in range(20)))

    assert sorted(outcomes) == [False] * 19 + [True]


@pytest.mark.parametrize("turns", range(12))
async def test_a_cancelled_call_applies_all_changes_or_none(rows: Rows, turns: int) -> None:
    before = [row(number, group=b"group", at=NOW) for number in range(4)]
    await store(rows, *before)
    changes = [*map(rewritten, before[:2]), *map(deleted, before[2:]), *add(row(4), row(5))]
    call = asyncio.create_task(rows.apply(changes, durably=bool(turns % 2)))

    for _ in range(turns):
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])

    after = [change.row for change in changes]
    unchanged = [*before, absent(row(4)), absent(row(5))]
    await rows.check()
    await asyncio.sleep(0.05)  # what was on its way to a server arrives
    assert list(await rows.read(*unchanged)) in (after, unchanged)


async def test_what_one_machine_writes_another_finds(rows: Rows, other_rows: Rows) -> None:
    first = row(1, group=b"group", at=NOW, over_at=NOW)
    await store(rows, first)
    assert await read_one(other_rows, first) == first

    assert await other_rows.apply([rewritten(first)], durably=True)
    assert await rows.apply([deleted(await read_one(rows, first))], durably=True)

    assert await read_one(other_rows, first) == absent(first)
    assert list(await other_rows.of_group(Kind.GRANT, b"group", 9)) == []


async def test_rows_are_there_after_a_restart(rows: Rows, other_rows: Rows) -> None:
    await store(rows, row())
    await rows.close()
    await rows.close()

    assert await read_one(other_rows, row()) == row()
    await rows.open()
    assert await read_one(rows, row()) == row()


@pytest.mark.check("H06")
@pytest.mark.parametrize("place", [*SHARED, "pgbouncer", *["sqlite"] * 3], indirect=True)
async def test_processes_that_start_together_all_open_a_new_place(place: str) -> None:
    with children(*[("open_place", place)] * 4) as starters:
        for starter in starters:
            starter.go_on()
        answers = [starter.line() for starter in starters]

    assert answers == ["open"] * 4


async def test_no_write_is_lost_between_two_machines(rows: Rows, other_rows: Rows) -> None:
    await store(rows, row())

    done = await asyncio.gather(
        *(count_up(machine, 1) for machine in (rows, other_rows) for _ in range(CALLERS // 2))
    )

    assert sum(done) == CALLERS * ROUNDS
    assert (await read_one(rows, row())).rev == 1 + sum(done)


async def test_changes_in_opposite_orders_do_not_block_each_other(
    rows: Rows, other_rows: Rows
) -> None:
    pair = [row(1), row(2, Kind.SESSION)]
    await store(rows, *pair)

    async def write_both(machine: Rows, *, is_reversed: bool) -> None:
        for _ in range(ROUNDS):
            seen = await machine.read(*pair)
            changes = [*map(rewritten, seen)]
            await machine.apply(changes[::-1] if is_reversed else changes, durably=False)

    await asyncio.gather(
        *(write_both(rows, is_reversed=False) for _ in range(CALLERS // 2)),
        *(write_both(other_rows, is_reversed=True) for _ in range(CALLERS // 2)),
    )

    one, other = await rows.read(*pair)
    assert one.rev == other.rev > 1


async def test_what_was_asserted_holds_when_the_changes_are_applied(
    rows: Rows, other_rows: Rows
) -> None:
    """Two callers each assert the row that the other one writes: at most one of them succeeds."""
    for number in range(20):
        one, other = row(2 * number), row(2 * number + 1)
        await store(rows, one, other)

        outcomes = await asyncio.gather(
            rows.apply([Change(one, 1), rewritten(other)], durably=False),
            other_rows.apply([Change(other, 1), rewritten(one)], durably=False),
        )

        assert sum(outcomes) == 1, outcomes


async def test_what_was_asserted_as_absent_is_not_added_meanwhile(
    rows: Rows, other_rows: Rows
) -> None:
    for number in range(20):
        one, other = row(2 * number), row(2 * number + 1)

        outcomes = await asyncio.gather(
            rows.apply([Change(absent(one), 0), *add(other)], durably=False),
            other_rows.apply([Change(absent(other), 0), *add(one)], durably=False),
        )

        assert sum(outcomes) == 1, outcomes


async def test_changes_are_never_seen_by_halves(rows: Rows, other_rows: Rows) -> None:
    pair = [row(1), row(2)]
    await store(rows, *pair)

    async def write_on(seen: list[Change]) -> None:
        for _ in range(20):
            assert await rows.apply(seen, durably=False)
            seen = [rewritten(change.row) for change in seen]

    writing = asyncio.create_task(write_on([*map(rewritten, pair)]))
    while not writing.done():
        revisions = {one.rev for one in await other_rows.by_name(Kind.GRANT, b"", 9)}
        assert len(revisions) == 1
        await asyncio.sleep(0)
    await writing


@pytest.mark.check("H13")
async def test_both_machines_read_one_clock(rows: Rows, other_rows: Rows) -> None:
    asked_at = time.monotonic()
    here, there = await rows.time(), await other_rows.time()

    assert 0 <= there - here <= time.monotonic() - asked_at + 0.01


async def test_a_row_that_was_deleted_and_added_again_is_another_one(rows: Rows) -> None:
    first = row(rev=7)
    await store(rows, first)
    assert await rows.apply([deleted(first)], durably=False)
    await store(rows, replace(first, rev=8))

    assert not await rows.apply([rewritten(first)], durably=False)
