"""What a follower remembers is bounded; beyond the bound it waits, and misses nothing."""

import asyncio
import secrets

import pytest
from unit.vault.fakes import NOW
from waiting import until_true

from webex_oauth.stores.memory import MemoryRows
from webex_oauth.vault.event_log import BATCH, LATE_SECONDS, MOST_REMEMBERED, EventLog
from webex_oauth.vault.events import MOST_IN_ROW, NAME_BYTES, Happened, first_id
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.rows import Kind
from webex_oauth.vault.sealing import Key, KeyRing, Sealer

pytestmark = pytest.mark.anyio


@pytest.mark.bound("events that a follower remembers")
async def test_more_events_of_a_minute_than_are_remembered_are_each_handed_over_once() -> None:
    sealer = Sealer(KeyRing(Key("one", secrets.token_bytes(32))), secrets.token_bytes)
    ledger = Ledger(MemoryRows(), sealer, 600)
    count, now, got = MOST_REMEMBERED + 2 * BATCH, NOW, list[int]()

    async def write(numbers: range) -> None:
        happened = Happened(NOW, (("grant.refreshed", "", None),))
        names = [(first_id(NOW) + one).to_bytes(NAME_BYTES, "big") for one in numbers]
        changes = [ledger.events.put(name, happened) for name in names]
        assert await ledger.rows.apply(changes, durably=False)

    async def has_written(count: int) -> bool:
        (row,) = await ledger.rows.by_name(Kind.CURSOR, b"", 9)
        return len(ledger.cursors.open(row).record.delivered) == count

    await write(range(MOST_IN_ROW, MOST_IN_ROW * (count + 1), MOST_IN_ROW))
    log = EventLog(ledger, lambda: now, secrets.token_bytes)
    following = asyncio.create_task(log.follow("mail", lambda event: got.append(event.id)))
    await until_true(lambda: len(got) >= MOST_REMEMBERED)
    await write(range(1))  # it becomes visible late
    await until_true(lambda: has_written(MOST_REMEMBERED))
    assert len(got) == MOST_REMEMBERED

    now += LATE_SECONDS + 1
    await until_true(lambda: len(got) >= count + 1)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)

    first = first_id(NOW)
    assert sorted(got) == [first + MOST_IN_ROW * number for number in range(count + 1)]
    assert got.index(first) == MOST_REMEMBERED
