"""Two processes and one grant: one refreshes, the other waits, adopts, or takes over."""

import asyncio
from asyncio import Task
from collections.abc import Awaitable, Callable

import pytest
from unit.vault.scripted import (
    ALICE,
    INVALID_GRANT,
    NOW,
    QUICK,
    House,
    ScriptedTransport,
    TroubledStore,
    begun,
    issued,
    tokens,
)

from webex_oauth.errors import (
    RateLimited,
    ReauthRequired,
    RefreshPostponed,
    StoreUnavailable,
    UpstreamError,
)
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.secret import Secret
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.records import GrantRecord, Lease
from webex_oauth.vault.timing import Timing

pytestmark = pytest.mark.anyio

FIRST, SECOND, THIRD = Secret("access-1"), Secret("access-2"), Secret("access-3")
PATIENT = Timing(first_poll_seconds=0.001, last_poll_seconds=0.005)


@pytest.mark.check("B07", "B09")
async def test_a_refresh_is_written_down_before_it_is_sent() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    seen: list[GrantRecord] = []
    house.transport.before_answer = lambda: seen.append(house.store._grants[ALICE])

    await house.vault.access_token(ALICE)

    (row,) = seen
    assert row.lease_owner is not None
    assert (row.lease_until, row.presented_count) == (NOW + QUICK.lease_seconds, 1)


async def test_a_refresh_leaves_a_row_without_any_trouble() -> None:
    house = House(HttpResponse(500), issued(2))
    await house.admit(tokens(lives_for=30))
    await house.vault.access_token(ALICE)
    house.clock.now += 40

    await house.vault.access_token(ALICE)

    assert await house.trouble() == (0, 0, 0)


async def asked_in_both(house: House) -> tuple[Task[Secret], Task[Secret]]:
    """Ask in a process whose refresh is on its way, and in another that finds its lease."""
    other = house.another_vault(timing=PATIENT)
    house.transport.gate.clear()
    one = asyncio.create_task(house.vault.access_token(ALICE))
    await begun(house.transport)
    two = asyncio.create_task(other.access_token(ALICE))
    await asyncio.sleep(0.01)
    return one, two


@pytest.mark.check("B09")
async def test_a_second_process_waits_and_gets_the_same_token() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    one, two = await asked_in_both(house)

    house.transport.gate.set()

    assert [await one, await two] == [SECOND, SECOND]
    assert len(house.transport.requests) == 1


@pytest.mark.check("B09")
async def test_a_second_process_serves_what_still_lives_instead_of_waiting() -> None:
    house = House()
    await house.admit(tokens(lives_for=30))
    await house.claim_as_another()

    assert await house.vault.access_token(ALICE) == FIRST


async def test_whoever_waits_too_long_is_told_to_come_back() -> None:
    house = House()
    await house.admit(tokens())
    await house.claim_as_another()

    with pytest.raises(RefreshPostponed, match="another process"):
        await house.vault.access_token(ALICE)

    assert house.transport.requests == []


async def test_a_process_that_waits_is_told_what_failed_elsewhere() -> None:
    house = House(HttpResponse(503, {"retry-after": "9"}))
    await house.admit(tokens())
    one, two = await asked_in_both(house)

    house.transport.gate.set()

    outcomes = await asyncio.gather(one, two, return_exceptions=True)
    assert isinstance(outcomes[1], RefreshPostponed)
    assert outcomes[1].retry_after_seconds == 10
    assert len(house.transport.requests) == 1


@pytest.mark.check("B09", "B10")
async def test_a_lease_that_lapsed_is_taken_over() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    await house.claim_as_another(lease_seconds=30)
    house.clock.now += 30

    assert await house.vault.access_token(ALICE) == SECOND


@pytest.mark.check("B09")
async def test_a_claim_that_somebody_else_won_is_no_request() -> None:
    store = TroubledStore()
    house = House(store=store)
    await house.admit(tokens())
    record = await house.row()

    async def lose(*_: object) -> None:
        await house.admit(tokens("access-2", lives_for=1_000))

    store.claim_grant = lose  # type: ignore[method-assign,assignment]  # a rival at the worst time

    assert await house.vault.access_token(ALICE) == SECOND
    assert house.transport.requests == []
    assert record.version != (await house.row()).version


@pytest.mark.check("B09", "B22")
async def test_who_is_overtaken_by_a_refresh_that_was_told_to_wait_does_not_ask() -> None:
    store = OvertakenStore()
    house = House(store=store)
    await house.admit(tokens())
    throttled = ScriptedTransport.opened(HttpResponse(429, {"retry-after": "9"}))
    rival = house.another_vault(transport=throttled)
    store.overtaking = lambda: rival.access_token(ALICE)

    with pytest.raises(RateLimited) as told:
        await house.vault.access_token(ALICE)

    assert told.value.retry_after_seconds == 10
    assert (len(throttled.requests), house.transport.requests) == (1, [])


class OvertakenStore(MemoryStore):
    """Let somebody else try, and fail, between what a claimer saw and its claim."""

    def __init__(self) -> None:
        super().__init__()
        self.overtaking: Callable[[], Awaitable[object]] | None = None

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        """Claim a grant, late."""
        overtaking, self.overtaking = self.overtaking, None
        if overtaking is not None:
            with pytest.raises(UpstreamError):
                await overtaking()
        return await super().claim_grant(seen, lease, now)


@pytest.mark.check("B09")
async def test_a_stale_holder_does_not_overwrite_and_adopts() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    house.transport.gate.clear()
    paused = asyncio.create_task(house.vault.access_token(ALICE))
    await begun(house.transport)
    house.clock.now += 31
    other = house.another_vault(transport=ScriptedTransport.opened(issued(3)))
    assert await other.access_token(ALICE) == THIRD

    house.transport.gate.set()

    assert await paused == THIRD
    assert (await house.held()).tokens.access_token == THIRD


@pytest.mark.check("B09")
async def test_a_holder_that_stood_still_before_it_asked_does_not_ask() -> None:
    store = StandingStillStore()
    house = House(issued(2), store=store)
    await house.admit(tokens())
    store.after_claim = lambda: setattr(house.clock, "now", NOW + 7)

    assert await house.vault.access_token(ALICE) == SECOND

    assert store.calls.count("claim") == 2
    assert len(house.transport.requests) == 1
    assert store.counts == [1, 1]


class StandingStillStore(TroubledStore):
    """Let time pass after the first claim, before the claimer goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.after_claim: Callable[[], object] = lambda: None
        self.counts: list[int] = []

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        """Claim a grant, and stand still."""
        record = await super().claim_grant(seen, lease, now)
        self.counts.append(record.presented_count if record else 0)
        self.after_claim()
        self.after_claim = lambda: None
        return record


@pytest.mark.check("B09")
async def test_a_refusal_that_a_stale_holder_caused_gives_way_to_its_tokens() -> None:
    house = House(issued(2, refresh_token="refresh-2"), rotates=True)
    await house.admit(tokens())
    house.transport.gate.clear()
    paused = asyncio.create_task(house.vault.access_token(ALICE))
    await begun(house.transport)
    house.clock.now += 31
    other = house.another_vault(transport=ScriptedTransport.opened(INVALID_GRANT))
    with pytest.raises(ReauthRequired):
        await other.access_token(ALICE)

    house.transport.gate.set()

    assert await paused == SECOND
    held = await house.held()
    assert (held.tokens.access_token, held.reauth_reason) == (SECOND, None)


async def test_a_lease_that_this_process_could_not_give_back_does_not_stop_it() -> None:
    store = TroubledStore()
    house = House(HttpResponse(503), issued(2), store=store)
    await house.admit(tokens(lives_for=30))
    store.before["release"] = [StoreUnavailable("down")]
    await house.vault.access_token(ALICE)

    assert await house.vault.access_token(ALICE) == FIRST, "it cools down, as it could not write"
    assert await house.trouble() == (0, 1, 1)
    house.clock.now += 1
    assert await house.vault.access_token(ALICE) == SECOND


async def test_a_claim_whose_answer_was_lost_counts_for_nothing() -> None:
    store = TroubledStore()
    house = House(issued(2), store=store, rotates=True)
    await house.admit(tokens())
    store.after["claim"] = [StoreUnavailable("answer lost"), StoreUnavailable("again")]

    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await house.vault.access_token(ALICE)

    assert await house.vault.access_token(ALICE) == SECOND
    assert house.transport.presented() == ["refresh-1"]
