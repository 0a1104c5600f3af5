"""What PostgreSQL's rows do when callers meet at one row, each on a connection of its own."""

import asyncio

import psycopg
import pytest
from contracts.postgres_rows import lock, other, rows, schema, waiting_count
from contracts.samples import absent, add, name, read_one, rewritten, row, store
from services.postgres import PostgresServer
from waiting import until_true

from webex_oauth.vault.rows import Change, Rows

__all__ = ["other", "rows", "schema"]

pytestmark = pytest.mark.anyio


async def test_of_two_that_wait_for_one_row_the_later_leaves_nothing(
    rows: Rows, schema: str, other: psycopg.Connection
) -> None:
    await store(rows, row(5))
    lock(other, schema, name(5))
    writes = [
        asyncio.create_task(rows.apply([*add(row(n)), rewritten(row(5))], durably=False))
        for n in (1, 9)
    ]
    await until_true(lambda: waiting_count(other) == 2)
    other.execute("COMMIT")

    outcomes = await asyncio.gather(*writes)

    assert sorted(outcomes) == [False, True]
    added = [found.rev > 0 for found in await rows.read(row(1), row(9))]
    assert added == outcomes


@pytest.mark.parametrize(("end", "is_added"), [("COMMIT", False), ("ROLLBACK", True)])
async def test_a_row_that_another_is_adding_is_waited_for(
    rows: Rows, schema: str, other: psycopg.Connection, end: str, *, is_added: bool
) -> None:
    other.execute("BEGIN")
    other.execute(insertion(schema), [name(2)])
    adding = asyncio.create_task(rows.apply(add(row(1), row(2)), durably=True))
    await until_true(lambda: waiting_count(other) == 1)

    other.execute(end)

    assert await adding == is_added
    assert (await read_one(rows, row(1))).rev == int(is_added)


async def test_an_assertion_holds_until_the_changes_are_applied(
    rows: Rows, schema: str, other: psycopg.Connection, postgres: PostgresServer
) -> None:
    await store(rows, row(1), row(9))
    lock(other, schema, name(9))
    changes = [Change(row(1), 1), Change(absent(row(2)), 0), rewritten(row(9))]
    writing = asyncio.create_task(rows.apply(changes, durably=True))
    await until_true(lambda: waiting_count(other) == 1)

    update = f"UPDATE {schema}.rows SET rev = 7 WHERE name = %s"  # noqa: S608 - ours
    with postgres.connect() as third:
        third.execute("SET lock_timeout = '100ms'")
        for statement, named in ((update, name(1)), (insertion(schema), name(2))):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                third.execute(statement, [named])

    other.execute("ROLLBACK")
    assert await writing
    assert list(await rows.read(row(1), row(2))) == [row(1), absent(row(2))]


def insertion(schema: str) -> str:
    return (
        f"INSERT INTO {schema}.rows (kind, name, rev, body, group_name)"  # noqa: S608 - ours
        " VALUES ('grant', %s, 1, '', '')"
    )
