"""What a PostgreSQL store does when callers meet at one row, each on a connection of its own."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest
from contracts.postgres_store import schema, store
from contracts.rows import IDLE_SECONDS, NOW, admission, attempt, grant, name, revocation
from services.postgres import PostgresServer
from waiting import until_true

from webex_oauth.errors import StoreConflict
from webex_oauth.vault.records import AttemptRecord, EndedSession
from webex_oauth.vault.store import Store

__all__ = ["schema", "store"]

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)


@pytest.fixture
def gate(postgres: PostgresServer, schema: str) -> Iterator["Gate"]:
    with postgres.connect() as connection:
        yield Gate(connection, schema)


class Gate:
    """Hold callers up at the grant's row until so many are there."""

    def __init__(self, connection: psycopg.Connection, schema: str) -> None:
        self._connection = connection
        self._connection.execute(f"SET search_path = {schema}")

    def close(self) -> None:
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT FROM grants WHERE key = %s FOR UPDATE", [KEY])

    async def open_for(self, callers: int) -> None:
        await until_true(lambda: self._waiting() >= callers)
        self._connection.execute("COMMIT")

    def _waiting(self) -> int:
        row = self._connection.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
        ).fetchone()
        return 0 if row is None else int(row[0])


async def end(store: Store, number: int) -> EndedSession | None:
    return await store.end_session(
        name("session", number), now=NOW, idle_seconds=IDLE_SECONDS, keeps_grants=False
    )


async def test_of_two_that_end_the_last_sessions_together_one_ends_the_grant(
    store: Store, gate: Gate
) -> None:
    await store.admit(admission(1))
    await store.admit(admission(2, version=2, expected_version=1))
    gate.close()

    ending = [asyncio.create_task(end(store, number)) for number in (1, 2)]
    await gate.open_for(2)

    outcomes = await asyncio.gather(*ending)
    assert {outcome.revocation for outcome in outcomes if outcome} == {None, revocation(version=2)}
    assert await store.find_grant(KEY) is None


async def test_who_signs_in_while_the_last_session_ends_has_a_grant_or_is_refused(
    store: Store, gate: Gate
) -> None:
    await store.admit(admission(1))
    gate.close()

    both = [
        asyncio.create_task(end(store, 1)),
        asyncio.create_task(store.admit(admission(2, version=2, expected_version=1))),
    ]
    await gate.open_for(2)

    _, admitted = await asyncio.gather(*both, return_exceptions=True)
    is_in = not isinstance(admitted, StoreConflict)
    assert (await store.find_session(name("session", 2)) is not None) == is_in
    assert (await store.find_grant(KEY) is not None) == is_in


async def test_who_is_disconnected_while_signing_in_keeps_no_session_without_a_grant(
    store: Store, gate: Gate
) -> None:
    await store.admit(admission(1))
    gate.close()

    both = [
        asyncio.create_task(store.admit(admission(2, version=2, expected_version=1))),
        asyncio.create_task(store.end_grant(KEY, now=NOW)),
    ]
    await gate.open_for(2)

    await asyncio.gather(*both, return_exceptions=True)
    found = [await store.find_session(name("session", number)) for number in (1, 2)]
    assert await store.find_grant(KEY) is None
    assert found == [None, None]


async def test_a_sweep_leaves_a_grant_that_is_just_renewed(store: Store, gate: Gate) -> None:
    await store.admit(admission(1, ends_at=NOW))
    await store.end_session(name("session", 1), now=NOW, idle_seconds=9, keeps_grants=True)
    gate.close()

    renewing = asyncio.create_task(store.replace_grant(grant(version=2, ends_at=NOW + 60), 1))
    swept = await store.sweep(now=NOW, idle_seconds=IDLE_SECONDS)
    await gate.open_for(1)

    await renewing
    assert swept == 0
    assert await store.find_grant(KEY) == grant(version=2, ends_at=NOW + 60)


@pytest.mark.check("A05")
async def test_attempts_begun_together_are_no_more_than_the_bound(store: Store) -> None:
    await asyncio.gather(
        *(store.add_attempt(attempt(number), at_most=20, now=NOW) for number in range(1, 200))
    )

    await store.add_attempt(attempt(200), at_most=20, now=NOW)

    kept = await store.scan(AttemptRecord, after=b"", limit=1_000)
    assert 0 < len(kept) <= 20
    assert attempt(200) in kept
