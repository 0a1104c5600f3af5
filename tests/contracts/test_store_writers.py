"""A writer to the database who has no key: what that costs, and what it never gives."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from contracts.records import (
    ATTEMPT_SECONDS,
    IDLE_SECONDS,
    KEY,
    NOW,
    digest_of,
    found_grant,
    key_of,
    revocation,
    session,
    sign_in,
    state,
    taken,
)
from ledgers import events
from msgspec.structs import fields, replace

from webex_oauth.errors import SealBroken, SignInError, StoreError, VaultError
from webex_oauth.flows.housekeeping import EVERYTHING, LASTING
from webex_oauth.vault.event_log import EventLog
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import Session
from webex_oauth.vault.rows import LAST_REV, Change, Kind, Row, next_rev
from webex_oauth.vault.tables import Cursor
from webex_oauth.vault.upkeep import Upkeep

pytestmark = pytest.mark.anyio

LONG_AFTER = NOW + 10**7
FAR = Cursor(NOW, (1, 2), written_at=NOW)
ABSURD: dict[str, Sequence[Any]] = {
    "group": (b"", b"\x00" * 64, key_of(2), b"x" * 64),
    "at": (None, 0, NOW, 253_402_300_799),
    "over_at": (None, 0, NOW, 253_402_300_799),
    "body": (b"", b"\x01", b"\x01\x011", b"x" * 100_000),
    "rev": (1, LAST_REV),
}


async def fill(ledger: Ledger) -> None:
    """Sign in three people, the third with two browsers, and queue a revocation of each."""
    for number, of in ((1, 1), (2, 2), (3, 3), (4, 3)):
        await sign_in(ledger, number, of=of, keep_at=NOW, ends_at=NOW + 10 * IDLE_SECONDS)
    for number in (1, 2, 3):
        await ledger.add_revocation(revocation(number))
    cursors = [ledger.cursors.put(name, FAR, 0) for name in (b"mail", b"audit")]
    assert await ledger.rows.apply(cursors, durably=False)


async def all_rows(ledger: Ledger) -> list[Row]:
    """Return a few rows of each kind."""
    return [row for kind in EVERYTHING for row in await ledger.rows.by_name(kind, b"", 4)]


def overwritten(row: Row, others: Sequence[Row]) -> list[Row]:
    """Return *row* with each of its columns as another row of its kind has it, or absurd."""
    spoilt = [replace(row, **{name: value}) for name in ABSURD for value in ABSURD[name]]
    for other in others:
        if other.kind is row.kind and other.name != row.name:
            names = [field.name for field in fields(row) if field.name not in ("kind", "name")]
            spoilt += [replace(row, **{name: getattr(other, name)}) for name in names]
    return [one for one in spoilt if one != row]


async def write(ledger: Ledger, row: Row, over: Row) -> Row:
    """Put *row* there as a writer without keys would."""
    spoilt = replace(row, rev=row.rev if row.rev != over.rev else next_rev(over.rev))
    assert await ledger.rows.apply([Change(spoilt, over.rev)], durably=False)
    return spoilt


async def use_everything(ledger: Ledger) -> None:
    """Do what requests and background tasks do; only typed errors may come of it."""
    for number in (1, 2, 3, 4):
        found = None
        try:
            found = await ledger.find_session(digest_of("session", number))
        except VaultError:
            continue
        if found is not None:
            assert found.record == session(number, of=min(number, 3))
            await ledger.touch_session(found, NOW)
    for number in (1, 2, 3):
        try:
            grant = await ledger.find_grant(key_of(number))
        except VaultError:
            continue
        assert grant is None or grant.record.subject == f"person {number}"
        assert all(one.grant_key == key_of(number) for one in await listed(ledger, number))
    await use_events(ledger)
    await ledger.due_grants(NOW, 99)
    assert await ledger.over_sessions(NOW - IDLE_SECONDS // 2, 99) == []
    for kind in LASTING:
        await Upkeep(ledger).mend(kind, b"", NOW)


async def use_events(ledger: Ledger) -> None:
    async for event in EventLog(ledger, lambda: NOW, secrets.token_bytes).read():
        assert event.kind in ("grant.created", "session.started") or event.reason == "expired"
    for name in (b"mail", b"audit"):
        with suppress(SealBroken):
            cursor = await ledger.cursors.find(name)
            assert cursor is None or cursor.record == FAR


async def listed(ledger: Ledger, number: int) -> Sequence[Session]:
    return await ledger.sessions_of(key_of(number), 9)


@pytest.mark.check("F07")
async def test_no_column_outside_a_seal_gives_anything_or_loses_anything_for_good(
    ledger: Ledger,
) -> None:
    await fill(ledger)
    for row in await all_rows(ledger):
        for spoilt in overwritten(row, await all_rows(ledger)):
            if spoilt.body != row.body:
                continue
            (current,) = await ledger.rows.read(row)
            await write(ledger, spoilt, current)

            await use_everything(ledger)
            assert await Upkeep(ledger).sweep(NOW, EVERYTHING) == 0

    assert {await found_grant(ledger, number) is not None for number in (1, 2, 3)} == {True}
    assert set(await ledger.due_grants(NOW, 9)) == {key_of(number) for number in (1, 2, 3)}
    assert {one.grant_key for one in await taken(ledger)} == {key_of(1), key_of(2), key_of(3)}
    assert len(await listed(ledger, 3)) == 2
    assert len(await events(ledger)) == 8


@pytest.mark.check("F02")
async def test_a_body_of_another_row_opens_nowhere(ledger: Ledger) -> None:
    await fill(ledger)
    for row in await all_rows(ledger):
        for spoilt in overwritten(row, await all_rows(ledger)):
            if spoilt.body == row.body:
                continue
            (current,) = await ledger.rows.read(row)
            broken = await write(ledger, spoilt, current)
            await use_everything(ledger)
            await Upkeep(ledger).sweep(LONG_AFTER, [row.kind])
            (left,) = await ledger.rows.read(row)
            assert left.body == broken.body, "what cannot be opened is not removed"
            await write(ledger, row, left)
    await use_everything(ledger)
    assert await found_grant(ledger) is not None


async def test_broken_rows_stop_nobody_elses_requests(ledger: Ledger) -> None:
    await fill(ledger)
    for kind, name in (
        (Kind.SESSION, digest_of("session", 1)),
        (Kind.GRANT, KEY),
        (Kind.REVOCATION, revocation(1).name),
        (Kind.STATE, state(1)),
    ):
        (row,) = await ledger.rows.read(Row(kind, name))
        await write(ledger, replace(row, body=b"broken"), row)

    with pytest.raises(SealBroken):
        await ledger.find_grant(KEY)
    with pytest.raises((SignInError, StoreError, VaultError)):
        await ledger.take_state(state(1), NOW + ATTEMPT_SECONDS, NOW)
    assert (
        await ledger.end_session(digest_of("session", 1), NOW, keeps_grants=False, reason="")
    ) is not None
    assert {one.grant_key for one in await taken(ledger, limit=2)} <= {key_of(2), key_of(3)}
    assert {one.grant_key for one in await taken(ledger)} <= {key_of(2), key_of(3)}
    assert await ledger.end_grant(KEY, NOW) is None
    assert not await ledger.has_grant(KEY)
    for _ in range(20):
        if not await Upkeep(ledger).sweep(LONG_AFTER, EVERYTHING):
            return
    pytest.fail("the sweep never ends")
