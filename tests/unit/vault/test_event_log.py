"""What a follower remembers is bounded; beyond the bound it goes on, and repeats nothing."""

import asyncio
import secrets

import pytest
from unit.vault.fakes import NOW
from waiting import until_true

from webex_oauth.stores.memory import MemoryRows
from webex_oauth.vault.event_log import BATCH, MOST_REMEMBERED, EventLog
from webex_oauth.vault.events import Event, first_id
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
from webex_oauth.vault.tables import Draft

pytestmark = pytest.mark.anyio


@pytest.mark.bound("events that a follower remembers")
async def test_more_events_of_a_minute_than_are_remembered_are_each_handed_over_once() -> None:
    sealer = Sealer(KeyRing(Key("one", secrets.token_bytes(32))), secrets.token_bytes)
    ledger = Ledger(MemoryRows(), sealer, 600)
    count, got = MOST_REMEMBERED + 2 * BATCH, list[int]()

    async def write(numbers: range) -> None:
        happened = [Event(first_id(NOW) + one, "grant.refreshed", "", NOW) for one in numbers]
        assert await ledger.write(Draft(events=happened), durably=False)

    await write(range(count))
    log = EventLog(ledger, lambda: NOW, secrets.token_bytes)
    following = asyncio.create_task(log.follow("mail", lambda event: got.append(event.id)))
    await until_true(lambda: len(got) >= count)
    await write(range(count, count + 9))
    await until_true(lambda: len(got) >= count + 9)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)

    assert got == [first_id(NOW) + one for one in range(count + 9)]
