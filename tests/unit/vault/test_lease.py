"""A lease is renewed while its holder lives, and lapses seconds after the holder died."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from unit.vault.fakes import ALICE, SECOND, FakeEndpoint, VaultFixture, issued, signed_in, tokens
from waiting import until_true

from webex_oauth.errors import RefreshPostponed, StoreUnavailable
from webex_oauth.secret import Secret
from webex_oauth.vault.commit import Commit
from webex_oauth.vault.plan import Timing
from webex_oauth.vault.records import NO_TROUBLE

pytestmark = [pytest.mark.anyio, pytest.mark.check("B09")]

DOWN = StoreUnavailable("down")
EAGER = Timing(beat_seconds=0.001, takeover_seconds=0.05, wait_seconds=0.05)
STEP = 2
LONG_SECONDS = 60


@asynccontextmanager
async def refreshing(fixture: VaultFixture) -> AsyncIterator[asyncio.Task[Secret]]:
    """Let a vault refresh, and hold back the answer that it waits for."""
    fixture.endpoint.gate.clear()
    vault = fixture.another_vault(timing=EAGER)
    asking = asyncio.create_task(vault.access_token(ALICE))
    await fixture.endpoint.reached()
    yield asking
    fixture.endpoint.gate.set()
    await asyncio.wait([asking])


async def pass_time(fixture: VaultFixture) -> None:
    """Move the clock by a minute, a few seconds at a time, each time until the lease is renewed."""

    async def is_renewed() -> bool:
        lease = (await fixture.stored()).lease
        return lease is not None and lease.until >= fixture.clock.now + EAGER.lease_seconds

    for _ in range(0, LONG_SECONDS, STEP):
        fixture.clock.now += STEP
        await until_true(is_renewed)


async def test_a_lease_lasts_as_long_as_its_holder_waits_for_an_answer() -> None:
    fixture = await signed_in(issued(2))
    other = FakeEndpoint.opened()

    async with refreshing(fixture) as asking:
        await pass_time(fixture)
        with pytest.raises(RefreshPostponed):
            await fixture.another_vault(endpoint=other).access_token(ALICE)

    assert await asking == SECOND
    assert (len(fixture.endpoint.requests), other.requests) == (1, [])
    assert (await fixture.stored()).lease is None


async def test_a_store_that_is_away_for_one_renewal_costs_no_lease() -> None:
    fixture = await signed_in(issued(2))

    async with refreshing(fixture) as asking:
        fixture.rows.before["renew"] = [DOWN]
        await pass_time(fixture)

    assert fixture.rows.before["renew"] == []
    assert await asking == SECOND


async def test_a_row_that_was_written_meanwhile_costs_no_lease() -> None:
    fixture = await signed_in(issued(2))

    async with refreshing(fixture) as asking:
        await fixture.change(is_access_refused=True)
        await pass_time(fixture)

    assert await asking == SECOND
    assert not (await fixture.stored()).is_access_refused


async def test_a_commit_goes_over_what_the_heartbeat_wrote_last() -> None:
    fixture = await signed_in(issued(2))

    async with refreshing(fixture):
        await pass_time(fixture)
        fixture.rows.calls.clear()

    assert "read" not in fixture.rows.calls


@pytest.mark.check("B10")
async def test_a_dead_holder_keeps_others_out_for_five_seconds() -> None:
    fixture = await signed_in(issued(2))
    await fixture.claim_as_another(lease_seconds=Timing().lease_seconds)
    fixture.clock.now += 4
    with pytest.raises(RefreshPostponed) as postponed:
        await fixture.vault.access_token(ALICE)
    assert postponed.value.retry_after_seconds == 1
    fixture.clock.now += 1

    assert await fixture.vault.access_token(ALICE) == SECOND


@pytest.mark.parametrize("seconds", [26, 3])
async def test_a_caller_is_told_when_the_lease_of_the_row_ends(seconds: int) -> None:
    fixture = await signed_in()
    await fixture.claim_as_another(lease_seconds=seconds)

    with pytest.raises(RefreshPostponed) as postponed:
        await fixture.vault.access_token(ALICE)

    assert postponed.value.retry_after_seconds == seconds


async def test_a_caller_waits_two_seconds_for_another_process() -> None:
    fixture = await signed_in()
    await fixture.claim_as_another()
    vault = fixture.another_vault(timing=Timing())
    started_at = time.monotonic()

    with pytest.raises(RefreshPostponed):
        await vault.access_token(ALICE)

    assert time.monotonic() - started_at < 2 * Timing().wait_seconds


async def taken_over(fixture: VaultFixture) -> None:
    """Let the lease of a process lapse that is heard of no more."""
    await fixture.claim_as_another(lease_seconds=5)
    fixture.clock.now += 5


async def test_tokens_that_a_holder_writes_late_are_adopted_and_not_asked_for_again() -> None:
    fixture = await signed_in(rotates=True)
    await taken_over(fixture)
    newer = tokens("access-2", lives_for=1_000, refresh="refresh-2")
    fixture.rows.after["claim"] = [lambda: fixture.admit(newer)]

    assert await fixture.vault.access_token(ALICE) == SECOND
    assert fixture.endpoint.requests == []


async def test_a_takeover_that_asked_nothing_counts_as_no_presentation() -> None:
    fixture = await signed_in(issued(2), rotates=True)
    await taken_over(fixture)
    fixture.rows.after["claim"] = [lambda: fixture.rows.before.update(read=[DOWN])]

    with pytest.raises(StoreUnavailable):
        await fixture.vault.access_token(ALICE)

    assert await fixture.trouble() == (1, 0, 0)
    assert fixture.endpoint.requests == []


@pytest.mark.bound("lease and cool-down")
@pytest.mark.check("H13")
async def test_a_lease_that_a_wrong_clock_wrote_holds_up_no_refresh() -> None:
    fixture = await signed_in(issued(2))
    await fixture.claim_as_another(lease_seconds=400 * 86_400)

    assert await fixture.vault.access_token(ALICE) == SECOND


def leases(fixture: VaultFixture) -> Commit:
    return Commit(fixture.ledger, fixture.clock, os.urandom)


@pytest.mark.check("B10")
async def test_a_lease_left_behind_keeps_what_may_have_been_presented() -> None:
    fixture = await signed_in()
    ours = leases(fixture)
    fixture.rows.before["claim"] = [DOWN]
    with pytest.raises(StoreUnavailable):
        await ours.claim(await fixture.entry())
    assert await ours.claim(await fixture.entry()) is not None

    await ours.take_back(await fixture.entry())

    assert await fixture.trouble() == (1, 0, 0)


@pytest.mark.parametrize("loss", ["lease", "version"])
async def test_a_lease_that_was_lost_is_neither_renewed_nor_released(loss: str) -> None:
    fixture = await signed_in()
    ours = leases(fixture)
    claimed = await ours.claim(await fixture.entry())
    assert claimed is not None
    if loss == "lease":
        await fixture.claim_as_another()
    else:
        await fixture.change(version=claimed.grant.version + 1)
    before = await fixture.entry()

    assert await ours.renew(claimed.entry) is None
    await claimed.release(NO_TROUBLE)

    assert await fixture.entry() == before


async def test_two_processes_have_two_names() -> None:
    fixture = await signed_in(issued(2, expires_in=1), issued(3))

    for vault in (fixture.vault, fixture.another_vault()):
        await vault.access_token(ALICE)
        fixture.clock.now += 10

    owners = [grant.lease.owner for grant in fixture.rows.grants if grant.lease]
    assert len(set(owners)) == 2


def test_a_lease_that_may_end_before_it_is_renewed_is_refused() -> None:
    with pytest.raises(ValueError, match="a lease of 4 s ends before a renewal that takes up to 4"):
        Timing(lease_seconds=4)

    with pytest.raises(ValueError, match="ends before"):
        Timing(lease_seconds=5, beat_seconds=2.0)


def test_a_flight_has_time_for_waiting_and_two_refreshes() -> None:
    timing = Timing()

    assert timing.flight_seconds > timing.wait_seconds + 2 * timing.request_seconds
