"""The keeper: grants that nobody uses live on, and Webex is not pressed."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from journeys.long_time import DAY, START, LongTime, TimeIsUp
from msgspec.structs import replace
from torture import size

from webex_oauth.emulator import Answer
from webex_oauth.errors import StoreUnavailable
from webex_oauth.flows.housekeeping import MAX_POSTPONED_IN_A_ROW, Keeper, Round
from webex_oauth.stores.memory import MemoryRows
from webex_oauth.vault.rows import Change, Kind, Row

YEAR = 365 * DAY
GRANT_COUNT = size(500, torture=10_000)
TOKEN_PATH = "/v1/access_token"
TOO_MANY = Answer(status=429, headers={"Retry-After": "120"})
REFUSED = Answer(status=400, text='{"error": "unauthorized_client"}')

pytestmark = pytest.mark.anyio


class FailingOnce(MemoryRows):
    """A store that is down when it is asked for the first time what is due."""

    failure_count = 0

    async def due(self, kind: Kind, instant: int, limit: int) -> Sequence[Row]:
        if not self.failure_count:
            self.failure_count += 1
            raise StoreUnavailable("down")
        return await super().due(kind, instant, limit)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def live_through(world: LongTime, seconds: int) -> list[Round]:
    """Run a keeper that looks every six hours, until so much time has passed."""
    rounds: list[Round] = []
    keeper = Keeper(world.context, world.vault, round_seconds=DAY / 4, sleep=world.sleep)
    world.ends_at = START + seconds
    with pytest.raises(TimeIsUp):
        await keeper.run(rounds.append)
    return rounds


@pytest.mark.check("B13")
@pytest.mark.torture
@pytest.mark.parametrize("refresh_mode", ["same", "reuse-detect"])
async def test_grants_that_nobody_uses_live_for_a_year(
    refresh_mode: str, seen: Callable[[str, str], None]
) -> None:
    world = LongTime(refresh_mode=refresh_mode)
    await world.admit(GRANT_COUNT)

    rounds = await live_through(world, YEAR)

    assert await world.living_count() == GRANT_COUNT
    assert set(world.statuses) == {200}
    assert 6 * GRANT_COUNT <= len(world.asked_at) <= 9 * GRANT_COUNT
    assert sum(done.renewed_count for done in rounds) == len(world.asked_at)
    seen(
        f"{GRANT_COUNT:,} grants, untouched for a simulated year, server `{refresh_mode}`",
        f"all live, {len(world.asked_at):,} refreshes, none refused",
    )


@pytest.mark.check("B13")
async def test_without_a_keeper_the_same_grants_are_over() -> None:
    world = LongTime()
    await world.admit(3)

    await world.sleep(YEAR)

    assert await world.living_count() == 0


async def due(count: int, rows: MemoryRows | None = None) -> LongTime:
    """Make *count* people sign in, and wait until all of their grants are due."""
    world = LongTime(rows)
    await world.admit(count)
    await world.sleep(61 * DAY)
    return world


async def test_a_round_renews_everything_that_is_due_and_no_faster_than_allowed() -> None:
    world = await due(250)

    done = await world.keeper.keep_once()

    starts = world.asked_at
    assert done == Round(renewed_count=250)
    assert all(later - start > 0.999 for start, later in zip(starts, starts[5:], strict=False))


async def test_what_was_issued_together_is_renewed_apart() -> None:
    world = LongTime()
    await world.admit(300)

    await live_through(world, 62 * DAY)

    by_day = Counter(int(at - START) // DAY for at in world.asked_at)
    assert len(world.asked_at) >= 300
    assert min(by_day) >= 44
    assert max(by_day.values()) < 60


@pytest.mark.check("B12")
async def test_too_many_requests_pause_the_keeper_for_as_long_as_webex_says() -> None:
    world = await due(20)
    world.emulator.faults.add("POST", TOKEN_PATH, TOO_MANY)

    done = await world.keeper.keep_once()
    asked_count = len(world.asked_at)
    again = await world.keeper.keep_once()
    await world.sleep(121)
    then = await world.keeper.keep_once()

    assert (asked_count, done.postponed_count) == (1, 1)
    assert again.is_empty
    assert then.renewed_count == 20


async def test_a_keeper_that_runs_waits_for_as_long_as_webex_says() -> None:
    world = await due(2)
    world.emulator.faults.add("POST", TOKEN_PATH, TOO_MANY)
    world.ends_at = world.now + 600

    with pytest.raises(TimeIsUp):
        await world.keeper.run()

    first, second, _ = world.asked_at
    assert second - first >= 120


async def test_a_round_ends_when_one_grant_after_the_other_is_postponed() -> None:
    world = await due(30)
    world.emulator.faults.add("POST", TOKEN_PATH, REFUSED, times=None)

    done = await world.keeper.keep_once()

    assert done == Round(postponed_count=MAX_POSTPONED_IN_A_ROW)


async def test_a_person_who_has_to_sign_in_again_is_reported_once() -> None:
    world = await due(3)
    (grant, *_) = await world.grants()
    assert grant.tokens.refresh_token is not None
    world.emulator.tokens.revoke(grant.tokens.refresh_token.reveal())

    done = await world.keeper.keep_once()
    again = await world.keeper.keep_once()

    assert done == Round(renewed_count=2, needing_person=("person-0",))
    assert again.is_empty


async def test_a_grant_that_cannot_be_read_stops_no_other() -> None:
    world = await due(3)
    (row,) = await world.ledger.rows.by_name(Kind.GRANT, b"", 1)
    spoilt = replace(row, rev=row.rev + 1, body=row.body[:-1] + bytes([row.body[-1] ^ 1]))
    await world.ledger.rows.apply([Change(spoilt, row.rev)], durably=False)

    done = await world.keeper.keep_once()

    assert done == Round(renewed_count=2, unreadable_count=1)


@pytest.mark.check("B09")
async def test_two_keepers_renew_each_grant_once_and_share_the_work() -> None:
    world = await due(100)
    other = Keeper(world.context, world.another_vault(), sleep=world.sleep)

    rounds = await asyncio.gather(world.keeper.keep_once(), other.keep_once())

    assert len(world.asked_at) == 100
    assert min(done.renewed_count for done in rounds) > 10


async def test_a_store_that_is_down_ends_a_round_and_not_the_keeper() -> None:
    store = FailingOnce()
    world = await due(3, store)
    world.ends_at = world.now + 400

    with pytest.raises(TimeIsUp):
        await world.keeper.run()

    assert store.failure_count == 1
    assert len(world.asked_at) == 3
