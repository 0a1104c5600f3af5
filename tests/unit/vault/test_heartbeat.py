"""A lease is renewed while its holder lives, and lapses seconds after the holder died."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from unit.vault.scripted import (
    ALICE,
    House,
    ScriptedTransport,
    TroubledStore,
    begun,
    issued,
    tokens,
)

from webex_oauth.errors import RefreshPostponed, StoreUnavailable
from webex_oauth.secret import Secret
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.records import GrantRecord
from webex_oauth.vault.timing import Timing

pytestmark = [pytest.mark.anyio, pytest.mark.check("B09")]

SECOND = Secret("access-2")
EAGER = Timing(beat_seconds=0.001, takeover_seconds=0.05, wait_seconds=0.05)
STEP = 2
LONG_SECONDS = 60


@asynccontextmanager
async def refreshing(
    house: House, transport: ScriptedTransport
) -> AsyncIterator[asyncio.Task[Secret]]:
    """Let a vault refresh, and hold back the answer that it waits for."""
    transport.gate.clear()
    vault = house.another_vault(transport=transport, timing=EAGER)
    asking = asyncio.create_task(vault.access_token(ALICE))
    await begun(transport)
    yield asking
    transport.gate.set()
    await asyncio.wait([asking])


async def time_passes(house: House, seconds: int) -> None:
    """Move the clock, a few seconds at a time, each time until the lease was renewed."""
    async with asyncio.timeout(5):
        for _ in range(0, seconds, STEP):
            house.clock.now += STEP
            while (await house.row()).lease_until < house.clock.now + EAGER.lease_seconds:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.001)


async def test_a_lease_lasts_as_long_as_its_holder_waits_for_an_answer() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    other = ScriptedTransport.opened()

    async with refreshing(house, house.transport) as asking:
        await time_passes(house, LONG_SECONDS)
        with pytest.raises(RefreshPostponed):
            await house.another_vault(transport=other).access_token(ALICE)

    assert await asking == SECOND
    assert (len(house.transport.requests), other.requests) == (1, [])
    assert (await house.row()).lease_owner is None


async def test_a_store_that_is_away_for_one_renewal_costs_no_lease() -> None:
    store = TroubledStore()
    house = House(issued(2), store=store)
    await house.admit(tokens())

    async with refreshing(house, house.transport) as asking:
        store.before["renew"] = [StoreUnavailable("down")]
        await time_passes(house, LONG_SECONDS)

    assert store.before["renew"] == []
    assert await asking == SECOND


async def test_a_dead_holder_keeps_others_out_for_five_seconds() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    await house.claim_as_another(lease_seconds=Timing().lease_seconds)
    house.clock.now += 4
    with pytest.raises(RefreshPostponed) as postponed:
        await house.vault.access_token(ALICE)
    assert postponed.value.retry_after_seconds == 1
    house.clock.now += 1

    assert await house.vault.access_token(ALICE) == SECOND


@pytest.mark.parametrize(("lasts_seconds", "told_seconds"), [(26, 26), (3, 3)])
async def test_a_caller_is_told_when_the_lease_of_the_row_ends(
    lasts_seconds: int, told_seconds: int
) -> None:
    house = House()
    await house.admit(tokens())
    await house.claim_as_another(lease_seconds=lasts_seconds)

    with pytest.raises(RefreshPostponed) as postponed:
        await house.vault.access_token(ALICE)

    assert postponed.value.retry_after_seconds == told_seconds


async def test_a_caller_waits_two_seconds_for_another_process() -> None:
    house = House()
    await house.admit(tokens())
    await house.claim_as_another()
    vault = house.another_vault(timing=Timing())
    started_at = time.monotonic()

    with pytest.raises(RefreshPostponed):
        await vault.access_token(ALICE)

    assert time.monotonic() - started_at < 2 * Timing().wait_seconds


async def test_tokens_that_a_holder_writes_late_are_adopted_and_not_asked_for_again() -> None:
    house = House(rotates=True)
    await house.admit(tokens())
    await house.claim_as_another(lease_seconds=5)
    house.clock.now += 5
    vault = house.another_vault(timing=Timing(takeover_seconds=0.2))
    asking = asyncio.create_task(vault.access_token(ALICE))
    async with asyncio.timeout(5):
        while (await house.row()).lease_owner == b"another":  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.001)

    await house.admit(tokens("access-2", lives_for=1_000, refresh="refresh-2"))

    assert await asking == SECOND
    assert house.transport.requests == []


class FailingTakeover(MemoryStore):
    """Fail once to read a row that somebody has taken over."""

    is_failing = True

    async def find_grant(self, key: bytes) -> GrantRecord | None:
        """Find a grant."""
        found = await super().find_grant(key)
        if self.is_failing and found and found.lease_owner not in (None, b"another"):
            self.is_failing = False
            raise StoreUnavailable("down")
        return found


async def test_a_takeover_that_asked_nothing_counts_as_no_presentation() -> None:
    house = House(issued(2), store=FailingTakeover(), rotates=True)
    await house.admit(tokens())
    await house.claim_as_another(lease_seconds=5)
    house.clock.now += 5

    with pytest.raises(StoreUnavailable):
        await house.vault.access_token(ALICE)

    assert await house.trouble() == (1, 0, 0)
    assert house.transport.requests == []
