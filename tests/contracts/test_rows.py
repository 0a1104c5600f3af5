"""What every database of rows does with them, whichever it is."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from contracts.samples import NOW, absent, add, deleted, name, read_one, rewritten, row, store
from msgspec.structs import replace

from webex_oauth.vault.rows import Change, Kind, Row, Rows

pytestmark = pytest.mark.anyio

NAMES = {
    "one octet": b"x",
    "zeros": bytes(64),
    "the highest octets": b"\xff" * 64,
    "octets 0 to 63": bytes(range(64)),
    "octets 64 to 127": bytes(range(64, 128)),
    "octets 128 to 191": bytes(range(128, 192)),
    "octets 192 to 255": bytes(range(192, 256)),
    "what others write keys with": b"a:b{c}*?[d]%s'\"\\\r\n",
}
BODIES = {"nothing": b"", "any octets": bytes(range(256)) * 3, "100 kB": b"\x00\xff" * 50_000}


async def test_an_absent_row_has_no_revision(rows: Rows) -> None:
    assert await read_one(rows, Row(Kind.GRANT, b"nothing")) == Row(Kind.GRANT, b"nothing")


async def test_what_the_caller_knew_of_an_absent_row_is_not_repeated(rows: Rows) -> None:
    known = row(rev=7, group=b"group", at=NOW, over_at=NOW)

    assert await read_one(rows, known) == absent(known)


async def test_rows_are_read_in_the_order_asked_for(rows: Rows) -> None:
    grant, session = row(1), row(1, Kind.SESSION, group=b"group", at=NOW, over_at=NOW + 1)
    await store(rows, grant, session)

    found = await rows.read(absent(session), row(2), absent(grant), absent(session))

    assert list(found) == [session, absent(row(2)), grant, session]
    assert list(await rows.read()) == []


@pytest.mark.parametrize("durably", [True, False])
async def test_a_row_is_added_written_and_deleted(rows: Rows, *, durably: bool) -> None:
    first = row(group=b"group", at=NOW, over_at=NOW)
    change = rewritten(first, rev=2**62, group=b"other", at=None, over_at=0)

    assert await rows.apply(add(first), durably=durably)
    assert await read_one(rows, first) == first
    assert await rows.apply([change], durably=durably)
    assert await read_one(rows, first) == change.row
    assert await rows.apply([deleted(change.row)], durably=durably)
    assert await read_one(rows, first) == absent(first)
    assert await rows.apply(add(first), durably=durably)
    assert await read_one(rows, first) == first


@pytest.mark.parametrize("named", NAMES.values(), ids=NAMES)
async def test_a_name_and_a_group_have_any_octets(rows: Rows, named: bytes) -> None:
    odd, other = row(name=named, group=named, at=NOW), row(2, name=named[:-1] + b"y", group=b"y")
    await store(rows, odd, other)

    assert await read_one(rows, absent(odd)) == odd
    assert list(await rows.of_group(Kind.GRANT, named, 9)) == [odd]
    assert odd in await rows.by_name(Kind.GRANT, b"", 9)
    assert odd not in await rows.by_name(Kind.GRANT, named, 9)
    assert await rows.apply([deleted(odd)], durably=False)
    assert list(await rows.read(odd, other)) == [absent(odd), other]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_has_any_octets(rows: Rows, body: bytes) -> None:
    await store(rows, row(body=body))

    assert (await read_one(rows, row())).body == body


async def test_rows_of_different_kinds_may_have_one_name(rows: Rows) -> None:
    named = [row(1, kind, group=b"group", at=NOW, over_at=NOW) for kind in Kind]
    await store(rows, *named)

    assert list(await rows.read(*map(absent, named))) == named
    for one in named:
        assert list(await rows.by_name(one.kind, b"", 9)) == [one]
        assert list(await rows.due(one.kind, NOW, 9)) == [one]
        assert list(await rows.over(one.kind, NOW, 9)) == [one]
        assert list(await rows.of_group(one.kind, b"group", 9)) == [one]


PRESENT, ABSENT = row(1, rev=5, group=b"group", at=NOW, over_at=NOW), row(2, rev=5)
CONFLICTS = {
    "added, but present": Change(row(1, rev=6), 0),
    "written over an older revision": Change(row(1, rev=6), 4),
    "written over a newer revision": Change(row(1, rev=7), 6),
    "written, but absent": Change(row(2, rev=6), 5),
    "deleted at an older revision": Change(absent(PRESENT), 4),
    "deleted at a newer revision": Change(absent(PRESENT), 6),
    "deleted, but absent": Change(absent(ABSENT), 5),
    "asserted at an older revision": Change(replace(PRESENT, rev=4), 4),
    "asserted at a newer revision": Change(replace(PRESENT, rev=6), 6),
    "asserted, but absent": Change(ABSENT, 5),
    "asserted as absent, but present": Change(absent(PRESENT), 0),
}


@pytest.mark.parametrize("conflict", CONFLICTS.values(), ids=CONFLICTS)
async def test_a_row_that_moved_on_refuses_all_changes(rows: Rows, conflict: Change) -> None:
    there = row(3)
    await store(rows, PRESENT, there)
    others = [*add(row(4), row(5, Kind.SESSION)), rewritten(there)]

    assert not await rows.apply([conflict], durably=False)
    assert not await rows.apply([conflict, *others], durably=False)
    assert not await rows.apply([*others, conflict], durably=True)
    assert list(await rows.read(PRESENT, ABSENT, there)) == [PRESENT, absent(ABSENT), there]
    assert list(await rows.read(row(4), row(5, Kind.SESSION))) == [
        absent(row(4)),
        absent(row(5, Kind.SESSION)),
    ]
    assert list(await rows.due(Kind.GRANT, NOW, 9)) == [PRESENT]


async def test_an_assertion_changes_nothing(rows: Rows) -> None:
    await store(rows, PRESENT)
    assertions = [Change(PRESENT, PRESENT.rev), Change(absent(ABSENT), 0)]

    assert await rows.apply(assertions, durably=False)
    assert await rows.apply([*assertions, *add(row(3))], durably=True)

    assert list(await rows.by_name(Kind.GRANT, b"", 9)) == [PRESENT, row(3)]
    assert list(await rows.due(Kind.GRANT, NOW, 9)) == [PRESENT]


async def test_no_changes_are_applied_at_once(rows: Rows) -> None:
    assert await rows.apply([], durably=False)
    assert await rows.apply([], durably=True)


async def test_many_changes_are_applied_together(rows: Rows) -> None:
    before = [row(n, Kind.SESSION, group=b"group", at=n) for n in range(300)]
    await store(rows, *before)
    changes = [
        *map(deleted, before[:100]),
        *(rewritten(one, at=one.at) for one in before[100:200]),
        *(Change(one, one.rev) for one in before[200:]),
        *add(*(row(n, Kind.SESSION, group=b"group", at=n) for n in range(300, 400))),
    ]

    assert not await rows.apply([*changes, Change(row(999), 1)], durably=False)
    assert list(await rows.of_group(Kind.SESSION, b"group", 999)) == before[::-1]
    assert await rows.apply(changes, durably=False)
    after = [change.row for change in changes if change.row.rev]
    assert list(await rows.of_group(Kind.SESSION, b"group", 999)) == after[::-1]


async def test_rows_are_listed_in_the_order_of_the_octets_of_their_names(rows: Rows) -> None:
    names = sorted([*NAMES.values(), b"a", b"a\x00", b"a\xff", b"B", b"b", b"\x00", b"\xff"])
    stored = {named: row(name=named) for named in names}
    await store(rows, *stored.values(), row(1, Kind.SESSION))

    assert [one.name for one in await rows.by_name(Kind.GRANT, b"", 99)] == names
    found: list[Row] = []
    after = b""
    while page := await rows.by_name(Kind.GRANT, after, 4):
        assert len(page) <= 4
        found += page
        after = page[-1].name
    assert found == list(stored.values())
    assert [one.name for one in await rows.by_name(Kind.GRANT, b"a\x01", 2)] == [
        b"a:b{c}*?[d]%s'\"\\\r\n",
        b"a\xff",
    ]


List = Callable[[Rows, int, int], Awaitable[Sequence[Row]]]
INSTANTS: dict[str, List] = {
    "at": lambda rows, instant, limit: rows.due(Kind.GRANT, instant, limit),
    "over_at": lambda rows, instant, limit: rows.over(Kind.GRANT, instant, limit),
}


@pytest.mark.parametrize(("column", "listed"), INSTANTS.items(), ids=INSTANTS)
async def test_rows_are_listed_from_their_instant_on_the_earliest_first(
    rows: Rows, column: str, listed: List
) -> None:
    other = {"at": "over_at", "over_at": "at"}[column]
    instants = [NOW - 5, NOW + 1, 0, NOW, None, NOW - 10, 253_402_300_799]
    for number, instant in enumerate(instants):
        await store(rows, _with(row(number), {column: instant, other: NOW - number}))
    await store(rows, row(9, Kind.SESSION, at=NOW, over_at=NOW))

    assert [one.name for one in await listed(rows, NOW, 99)] == [*map(name, [2, 5, 0, 3])]
    assert [one.name for one in await listed(rows, NOW, 2)] == [*map(name, [2, 5])]
    assert [one.name for one in await listed(rows, NOW - 6, 99)] == [*map(name, [2, 5])]
    assert list(await listed(rows, -1, 99)) == []
    assert len(await listed(rows, 2**62, 99)) == 6


@pytest.mark.parametrize(("column", "listed"), INSTANTS.items(), ids=INSTANTS)
async def test_a_change_moves_a_row_in_its_list(rows: Rows, column: str, listed: List) -> None:
    first, second, third = (_with(row(n), {column: NOW + n}) for n in (1, 2, 3))
    await store(rows, first, second, third)
    later = rewritten(first, **{column: NOW + 9})
    never = rewritten(second, **{column: None})

    assert await rows.apply([later, never], durably=False)
    assert list(await listed(rows, NOW + 9, 9)) == [third, later.row]
    again = rewritten(never.row, **{column: NOW})
    assert await rows.apply([again, deleted(third)], durably=False)
    assert list(await listed(rows, NOW + 9, 9)) == [again.row, later.row]


async def test_a_group_is_listed_with_the_latest_first_and_those_without_an_instant_last(
    rows: Rows,
) -> None:
    instants = [NOW, None, NOW + 2, 0, NOW + 1]
    group = [row(n, Kind.SESSION, group=b"group", at=at) for n, at in enumerate(instants)]
    others = [row(7, Kind.SESSION, group=b"other", at=NOW), row(8, Kind.SESSION, at=NOW)]
    await store(rows, *group, *others, row(1, group=b"group", at=NOW))

    found = await rows.of_group(Kind.SESSION, b"group", 99)

    assert [one.name for one in found] == [*map(name, [2, 4, 0, 3, 1])]
    assert list(await rows.of_group(Kind.SESSION, b"group", 2)) == [group[2], group[4]]
    assert list(await rows.of_group(Kind.SESSION, b"grou", 9)) == []


async def test_a_change_moves_a_row_to_another_group(rows: Rows) -> None:
    first, second = (row(n, Kind.SESSION, group=b"group", at=NOW + n) for n in (1, 2))
    await store(rows, first, second)
    moved, freed = rewritten(first, group=b"other"), rewritten(second, group=b"")

    assert await rows.apply([moved, freed], durably=False)

    assert list(await rows.of_group(Kind.SESSION, b"group", 9)) == []
    assert list(await rows.of_group(Kind.SESSION, b"other", 9)) == [moved.row]


async def test_a_write_is_possible(rows: Rows) -> None:
    await rows.check()
    await rows.check()

    assert [await rows.by_name(kind, b"", 9) for kind in Kind] == [[]] * len(Kind)


async def test_the_database_has_a_clock(rows: Rows) -> None:
    assert abs(await rows.time() - time.time()) < 60


def _with(changed: Row, columns: dict[str, Any]) -> Row:
    return replace(changed, **columns)
