"""Rows with values that this program did not write: typed errors, and the rest is unaffected."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from contracts.rows import (
    IDLE_SECONDS,
    NOW,
    admission,
    attempt,
    grant,
    name,
    revocation,
    session,
)

from webex_oauth.errors import SealBroken, SignInError, StoreError, VaultError
from webex_oauth.stores.postgres import PostgresStore
from webex_oauth.stores.redis import RedisStore
from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.vault.records import (
    AttemptRecord,
    GrantRecord,
    Lease,
    RefreshTrouble,
    RevocationRecord,
    SealedRecord,
    SessionRecord,
    name_of,
)
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

KINDS = ("sqlite", "postgres", "redis")

NUMBERS: list[Any] = [-1, -(2**62), 2**62, 2**31 - 1, None, "abc", "", "1.5", "1e9"]
TEXTS: list[Any] = ["bogus", "", None, b"\xff\xfe", 7]
BYTES: list[Any] = [b"", b"\x00", b"x" * 100_000, None, "text", 7]
COLUMNS: dict[str, dict[str, list[Any]]] = {
    "attempts": {
        "browser_digest": BYTES,
        "sealed": BYTES,
        "expires_at": NUMBERS,
        "kept_until": NUMBERS,
        "state": TEXTS,
        "session_digest": BYTES,
    },
    "sessions": {
        "grant_key": BYTES,
        "sealed": BYTES,
        "created_at": NUMBERS,
        "seen_at": NUMBERS,
        "expires_at": NUMBERS,
    },
    "grants": {
        "version": NUMBERS,
        "sealed": BYTES,
        "access_expires_at": NUMBERS,
        "ends_at": NUMBERS,
        "keep_at": NUMBERS,
        "lease_owner": BYTES,
        "lease_until": NUMBERS,
        "presented_count": NUMBERS,
        "failure_count": NUMBERS,
        "retry_at": NUMBERS,
    },
    "revocations": {
        "sealed": BYTES,
        "ends_at": NUMBERS,
        "due_at": NUMBERS,
        "try_count": NUMBERS,
    },
}
NAMES: dict[str, Callable[[int], bytes]] = {
    "attempts": lambda number: name("state", number),
    "sessions": lambda number: name("session", number),
    "grants": lambda number: name("grant", number),
    "revocations": lambda number: name_of(revocation(number)),
}
KEY_COLUMNS = {"attempts": "state_digest", "sessions": "digest", "grants": "key"}
TYPED = (StoreError, VaultError, SignInError)
HEALTHY = 1_000_000
LEASE = Lease(b"owner", NOW + 5)


async def spoil(store: Store, table: str, number: int, column: str, value: Any) -> None:
    """Put *value* into a row behind the store's back; a database may refuse that."""
    if isinstance(store, RedisStore):
        key = store._database.row(table.removesuffix("s"), NAMES[table](number))
        command = ("HDEL", key, column) if value is None else ("HSET", key, column, value)
        await store._database.command(*command)
        return
    names = {"key": NAMES[table](number)[:32], "value": value}
    where = KEY_COLUMNS.get(table, "grant_key")
    if isinstance(store, SqliteStore):
        statement = f"UPDATE {table} SET {column} = :value WHERE {where} = :key"  # noqa: S608 - ours
        with suppress(StoreError, sqlite3.Error):
            await store._writer.write(lambda connection: connection.execute(statement, names))
        return
    assert isinstance(store, PostgresStore)
    text = f"UPDATE {{schema}}.{table} SET {column} = %(value)s WHERE {where} = %(key)s"  # noqa: S608 - ours
    with suppress(StoreError):
        await store._write(lambda link: link.run(text, names))


async def add(store: Store, number: int) -> None:
    """Add a row to each table."""
    await store.add_attempt(attempt(number), at_most=1_000, now=NOW)
    await store.admit(admission(number, of=number, keep_at=NOW, ends_at=NOW + 9))
    await store.add_revocation(revocation(number))


def uses(store: Store, number: int) -> dict[str, Awaitable[object]]:
    """List what is done to the rows of that number."""
    key, digest = name("grant", number), name("session", number)
    seen, trouble = grant(number, keep_at=NOW, ends_at=NOW + 9), RefreshTrouble(0, 0, 0)
    return {
        "find grant": store.find_grant(key),
        "find session": store.find_session(digest),
        "sessions of": store.sessions_of(key, limit=9),
        "touch": store.touch_session(digest, NOW + 1),
        "claim": store.claim_grant(seen, LEASE, NOW),
        "renew": store.renew_lease(key, 1, LEASE),
        "release": store.release_grant(key, 1, LEASE.owner, trouble),
        "take": store.take_attempt(name("state", number), name("browser", 1), NOW),
        "take again": store.take_attempt(name("state", number), name("browser", 1), NOW),
        "abandon": store.abandon_attempt(name("state", number)),
        "postpone": store.postpone_revocation(key, 1, NOW),
        "replace": store.replace_grant(grant(number, version=2), 1),
        "replace session": store.replace_session(
            digest, session(number + 500, of=number), attempt_state_digest=name("state", number)
        ),
        "end session": store.end_session(
            name("session", number + 500), now=NOW, idle_seconds=IDLE_SECONDS, keeps_grants=False
        ),
        "end grant": store.end_grant(key, now=NOW),
        "drop": store.drop_revocation(key, 1),
    }


async def look_at_everything(store: Store) -> None:
    """Do what background tasks do, and find the healthy rows each time."""
    key = name("grant", HEALTHY)
    rows: list[SealedRecord] = [
        *await store.scan(AttemptRecord, after=b"", limit=2_000),
        *await store.scan(SessionRecord, after=b"", limit=2_000),
        *await store.scan(GrantRecord, after=b"", limit=2_000),
        *await store.scan(RevocationRecord, after=b"", limit=2_000),
    ]
    assert {named(HEALTHY) for named in NAMES.values()} <= {name_of(row) for row in rows}
    due = await store.due_grants(now=NOW, limit=2_000)
    assert key in {record.key for record in due}
    taken = await store.take_revocations(now=NOW, until=NOW, limit=2_000)
    assert key in {record.grant_key for record in taken}
    await store.shorten_waits(now=NOW, latest=NOW + 99)


@pytest.mark.parametrize("place", KINDS, indirect=True)
@pytest.mark.parametrize("table", COLUMNS)
async def test_absurd_values_are_typed_errors_and_stop_nothing_else(
    store: Store, table: str
) -> None:
    await add(store, HEALTHY)
    number = 0
    for column, values in COLUMNS[table].items():
        for value in values:
            number += 1
            await add(store, number)
            await spoil(store, table, number, column, value)
            await look_at_everything(store)
            for what, use in uses(store, number).items():
                try:
                    await use
                except TYPED:
                    continue
                except Exception as error:
                    raise AssertionError(f"{what} after {column} = {value!r}: {error!r}") from error
    await look_at_everything(store)
    for _ in range(20):
        if not await store.sweep(now=NOW + 10**6, idle_seconds=IDLE_SECONDS):
            break
    else:
        pytest.fail("the sweep never ends")


@pytest.mark.parametrize("place", ["redis"], indirect=True)
@pytest.mark.parametrize(
    "index",
    [
        "attempts",
        "attempts:over",
        "sessions",
        "sessions:over",
        "sessions:seen",
        "grants",
        "grants:keep",
        "grants:over",
        "revocations",
        "revocations:due",
        "revocations:over",
    ],
)
async def test_an_index_may_name_what_is_not_there(store: Store, index: str) -> None:
    await add(store, HEALTHY)
    assert isinstance(store, RedisStore)
    for bogus in (b"bogus", b"", b"x" * 40):
        await store._database.command("ZADD", store._database.key(index), 0, bogus)

    await look_at_everything(store)
    for _ in range(5):
        if not await store.sweep(now=NOW + 1, idle_seconds=IDLE_SECONDS):
            break
    else:
        pytest.fail("the sweep never ends")
    await look_at_everything(store)


@pytest.mark.parametrize("place", KINDS, indirect=True)
async def test_the_error_names_the_row_and_says_what_to_do(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await add(store, HEALTHY)
    await spoil(store, "grants", HEALTHY, "lease_until", -5)

    named = name("grant", HEALTHY).hex()[:12]
    with pytest.raises(SealBroken, match=f"the grant {named} has values"):
        await store.find_grant(name("grant", HEALTHY))
    assert await store.scan(GrantRecord, after=b"", limit=9) == []

    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if line.startswith("a stored row cannot be read: ")]) == 1
