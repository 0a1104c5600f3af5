"""Grants are listed in constant memory, and found by their person's address without a scan."""

from collections.abc import Sequence
from typing import Any

import pytest
from contracts.records import IDLE_SECONDS, NOW, SEALER, grant, key_of, ledger_on, sign_in
from msgspec.structs import replace

from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import Grant, Profile
from webex_oauth.vault.rows import Change, Kind, Row, Rows
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
from webex_oauth.vault.upkeep import Upkeep

pytestmark = pytest.mark.anyio

PEOPLE = 10_000
BATCH = 500


class CountedRows:
    """Rows that count how many of them are listed."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.counts: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    async def by_name(self, kind: Kind, after: bytes, limit: int) -> Sequence[Row]:
        return self._counted(await self._rows.by_name(kind, after, limit))

    async def of_group(self, kind: Kind, group: bytes, limit: int) -> Sequence[Row]:
        return self._counted(await self._rows.of_group(kind, group, limit))

    def _counted(self, rows: Sequence[Row]) -> Sequence[Row]:
        self.counts.append(len(rows))
        return rows


def named(number: int, email: str | None = None) -> Grant:
    email = email or f"person.{number}@acme.example"
    return replace(grant(number), profile=Profile(f"id {number}", f"Person {number}", email))


async def keep(ledger: Ledger, *grants: Grant) -> None:
    changes = [ledger.grants.put(one.key, one) for one in grants]
    assert await ledger.rows.apply(changes, durably=False)


async def found(ledger: Ledger, email: str) -> list[str]:
    return sorted(entry.record.subject for entry in await ledger.grants_with_email(email))


async def listed(ledger: Ledger, limit: int) -> list[bytes]:
    keys, after = list[bytes](), b""
    while page := await ledger.list_grants(after, limit):
        assert len(page) <= limit
        keys += [entry.record.key for entry in page]
        after = keys[-1]
    return keys


async def overwrite(ledger: Ledger, number: int, **columns: Any) -> None:
    (row,) = await ledger.rows.read(Row(Kind.GRANT, key_of(number)))
    change = Change(replace(row, rev=row.rev + 1, **columns), row.rev)
    assert await ledger.rows.apply([change], durably=False)


async def test_of_ten_thousand_grants_one_row_is_read_to_find_one(rows: Rows) -> None:
    counted = CountedRows(rows)
    ledger = ledger_on(counted)
    for first in range(0, PEOPLE, BATCH):
        await keep(ledger, *map(named, range(first, first + BATCH)))

    assert await found(ledger, "Person.7777@ACME.example") == ["person 7777"]
    assert counted.counts == [1]

    assert len(set(await listed(ledger, BATCH))) == PEOPLE
    assert max(counted.counts) == BATCH


async def test_two_people_may_have_one_address_and_some_have_none(ledger: Ledger) -> None:
    await keep(ledger, named(1, "straße@acme.example"), named(2, "STRASSE@acme.example"), grant(3))

    assert await found(ledger, "Strasse@ACME.example") == ["person 1", "person 2"]
    assert await found(ledger, "") == []


@pytest.mark.check("F02")
async def test_grants_that_do_not_open_are_left_out_of_lists(ledger: Ledger) -> None:
    await keep(ledger, *map(named, range(9)))
    in_order = await listed(ledger, 9)
    for number in range(9):
        if key_of(number) in in_order[3:7]:
            await overwrite(ledger, number, body=b"broken")

    assert await listed(ledger, 2) == [*in_order[:3], *in_order[7:]]


@pytest.mark.check("F07")
async def test_a_writer_to_the_store_gives_nobody_another_persons_address(ledger: Ledger) -> None:
    await keep(ledger, named(1), named(2))
    (second,) = await ledger.rows.read(Row(Kind.GRANT, key_of(2)))

    await overwrite(ledger, 1, group=second.group)

    assert await found(ledger, "person.2@acme.example") == ["person 2"]
    await Upkeep(ledger).mend(Kind.GRANT, b"", NOW)
    assert await found(ledger, "person.1@acme.example") == ["person 1"]


@pytest.mark.check("D01")
async def test_the_index_tells_nobody_an_address_who_has_no_key(ledger: Ledger, rows: Rows) -> None:
    stranger = Ledger(rows, Sealer(KeyRing(Key("1", b"x" * 32)), SEALER.randomness), IDLE_SECONDS)
    await keep(ledger, named(1))

    assert await found(stranger, "person.1@acme.example") == []
    (row,) = await rows.by_name(Kind.GRANT, b"", 9)
    assert row.group
    assert b"acme" not in row.group


@pytest.mark.check("F03")
async def test_addresses_are_found_under_every_key_of_the_ring(ledger: Ledger, rows: Rows) -> None:
    new = Sealer(KeyRing(Key("2", b"n" * 32), (SEALER.keys.primary,)), SEALER.randomness)
    await keep(ledger, named(1))

    await keep(Ledger(rows, new, IDLE_SECONDS), named(2, "person.1@acme.example"))

    both = ["person 1", "person 2"]
    assert await found(Ledger(rows, new, IDLE_SECONDS), "person.1@acme.example") == both


async def test_a_grant_that_was_sealed_without_a_profile_is_found_once_it_is_signed_in_to(
    ledger: Ledger,
) -> None:
    await sign_in(ledger)
    assert await found(ledger, "person.1@acme.example") == []

    (entry,) = await ledger.list_grants(b"")
    await ledger.replace_grant(entry, named(1), durably=True)

    assert await found(ledger, "person.1@acme.example") == ["person 1"]
