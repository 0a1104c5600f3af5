"""Columns with values that this program did not write: typed errors, and no other row suffers."""

import logging
from contextlib import suppress
from typing import Any

import pytest
from contracts.samples import NOW, absent, deleted, name, read_one, rewritten, row, store
from contracts.spoiling import spoil
from msgspec.structs import replace

from webex_oauth.errors import SealBroken, StoreUnavailable
from webex_oauth.vault.rows import Kind, Row, Rows, next_rev

PLACES = ("sqlite", "postgres", "redis")

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("place", PLACES, indirect=True)]

NUMBERS: list[Any] = [
    -1,
    -(2**62),
    2**62 + 1,
    2**63 - 1,
    2**31,
    None,
    "abc",
    "",
    "1.5",
    "1e9",
    " 7",
]
BYTES: list[Any] = [b"", b"\x00", b"x" * 100_000, None, "text", 7]
NAMES: list[Any] = [b"", b"x" * 65, None, "text", 7]
HINTS: dict[str, list[Any]] = {"group": BYTES, "at": NUMBERS, "over_at": NUMBERS}
CONTENT: dict[str, list[Any]] = {"rev": NUMBERS, "body": BYTES}
HEALTHY = row(999_999_999, group=b"group", at=NOW, over_at=NOW)


async def check_healthy(rows: Rows) -> None:
    """Check that every list holds the row that nothing was done to."""
    assert await read_one(rows, HEALTHY) == HEALTHY
    for found in (
        await rows.by_name(Kind.GRANT, b"", 999),
        await rows.due(Kind.GRANT, NOW, 999),
        await rows.over(Kind.GRANT, NOW, 999),
        await rows.of_group(Kind.GRANT, b"group", 999),
    ):
        assert HEALTHY in found
        assert all(one.rev for one in found)


def is_hint(column: str, value: object) -> bool:
    if column == "group":
        return isinstance(value, bytes)
    return value is None or (type(value) is int and 0 <= value < 2**38)


@pytest.mark.parametrize("column", HINTS)
async def test_a_group_or_instant_that_cannot_be_counts_as_absent(rows: Rows, column: str) -> None:
    await store(rows, HEALTHY)
    for number, value in enumerate(HINTS[column]):
        spoilt = row(number, group=b"group", at=NOW, over_at=NOW)
        await store(rows, spoilt)
        await spoil(rows, spoilt, column, value)

        found = await read_one(rows, spoilt)

        hint = getattr(found, column)
        assert is_hint(column, hint), value
        assert replace(spoilt, **{column: hint}) == found
        await check_healthy(rows)
        assert await rows.apply([rewritten(found, **{column: hint})], durably=False)
        mended = rewritten(rewritten(found).row, group=b"group", at=NOW, over_at=NOW)
        assert await rows.apply([mended], durably=False)
        assert mended.row in await rows.due(Kind.GRANT, NOW, 999)


@pytest.mark.parametrize("column", CONTENT)
async def test_a_revision_or_body_that_cannot_be_breaks_that_row_alone(
    rows: Rows, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    await store(rows, HEALTHY)
    for number, value in enumerate(CONTENT[column]):
        spoilt = row(number, group=b"group", at=NOW, over_at=NOW)
        await store(rows, spoilt)
        await spoil(rows, spoilt, column, value)

        await check_healthy(rows)
        for change in (rewritten(spoilt), deleted(spoilt)):
            with suppress(SealBroken, StoreUnavailable):
                await rows.apply([change], durably=False)
        with suppress(SealBroken):
            found = await read_one(rows, spoilt)
            assert isinstance(found.body, bytes)
            mended = rewritten(found, rev=next_rev(found.rev))
            assert await rows.apply([mended], durably=False)
            assert await rows.apply([deleted(mended.row)], durably=False)
            assert await read_one(rows, spoilt) == absent(spoilt)

    assert all(record.levelno >= logging.ERROR for record in caplog.records)
    assert all("a stored row cannot be read" in one.getMessage() for one in caplog.records)


async def test_a_name_that_cannot_be_is_left_out_of_lists(rows: Rows) -> None:
    await store(rows, HEALTHY)
    for number, value in enumerate(NAMES):
        spoilt = row(number, group=b"group", at=NOW, over_at=NOW)
        await store(rows, spoilt)
        await spoil(rows, spoilt, "name", value)

        await check_healthy(rows)


async def test_the_error_names_the_row_and_a_list_logs_it(
    rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt = row(1, group=b"group", at=NOW, over_at=NOW)
    await store(rows, spoilt, row(2))
    await spoil(rows, spoilt, "rev", 0)

    with pytest.raises(SealBroken, match=f"the grant {name(1).hex()[:12]} has values"):
        await rows.read(row(2), spoilt)
    assert list(await rows.by_name(Kind.GRANT, b"", 9)) == [row(2)]
    assert list(await rows.read(row(2), absent(row(3)))) == [row(2), Row(Kind.GRANT, name(3))]

    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if line.startswith("a stored row cannot be read: ")]) == 1
