"""Events are written with what they tell of; a follower gets every one of them, in any weather."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from contracts.children import children
from contracts.places import SHARED
from contracts.records import (
    ATTEMPT_SECONDS,
    IDLE_SECONDS,
    KEY,
    NOW,
    admission,
    end,
    sign_in,
    state,
)
from ledgers import events
from msgspec.structs import replace
from waiting import until_true

from webex_oauth.errors import StoreConflict
from webex_oauth.flows.housekeeping import EVERYTHING
from webex_oauth.vault.event_log import LATE_SECONDS, LEASE_SECONDS, EventLog
from webex_oauth.vault.events import (
    FAILURE_KEPT_SECONDS,
    KEPT_SECONDS,
    MOST_IN_ROW,
    MOST_RUNNING,
    NAME_BYTES,
    Event,
    Happened,
    first_id,
)
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import Profile
from webex_oauth.vault.rows import Change, Kind, Row
from webex_oauth.vault.tables import Draft
from webex_oauth.vault.upkeep import Upkeep

pytestmark = pytest.mark.anyio

ALICE = Profile("id of alice", "Alice", "alice@acme.example")


def log_of(ledger: Ledger, clock: Callable[[], int] = lambda: NOW) -> EventLog:
    return EventLog(ledger, clock, secrets.token_bytes)


async def told(ledger: Ledger, **options: Any) -> list[tuple[str, str | None]]:
    return [(one.kind, one.reason) async for one in log_of(ledger).read(**options)]


def name_of(number: int, at: int = NOW) -> bytes:
    """Return the name of a row of events of a second."""
    return (first_id(at) + number * MOST_IN_ROW).to_bytes(NAME_BYTES, "big")


async def write(ledger: Ledger, *numbers: int, at: int = NOW) -> None:
    """Write events of one second in the order of their numbers, each in a row of its own."""
    rows = [
        ledger.events.put(name_of(one, at), Happened(at, (("grant.created", "", f"{one}"),)))
        for one in numbers
    ]
    assert await ledger.rows.apply(rows, durably=False)


# What is told


async def test_a_sign_in_is_told_with_what_it_changed_and_with_what_it_replaced(
    ledger: Ledger,
) -> None:
    await sign_in(ledger, 1, of=1)

    await sign_in(ledger, 2, of=2, replaced=1)

    assert sorted(await told(ledger)) == [
        ("grant.created", None),
        ("grant.created", None),
        ("grant.revoked", "replaced"),
        ("session.ended", "replaced"),
        ("session.started", None),
        ("session.started", None),
    ]
    rows = await ledger.rows.by_name(Kind.EVENT, b"", 99)
    assert [len(ledger.events_in(row)) for row in rows] in ([2, 4], [4, 2])


async def test_a_change_with_many_events_keeps_them_in_their_order(ledger: Ledger) -> None:
    heard: list[Event] = []
    ledger.hub.listeners.append(heard.append)
    count, now = 2 * MOST_IN_ROW + 1, NOW
    for _ in range(3):
        draft = Draft(now)
        for number in range(count):
            draft.tell("session.ended", None, f"{number}")
        assert await ledger.write(draft, durably=False)
    await ledger.hub.close()

    written = await events(ledger)

    assert [one.reason for one in written] == [f"{number}" for number in range(count)] * 3
    assert [one.id for one in written] == sorted({one.id for one in written})
    assert heard == written
    assert [one async for one in log_of(ledger).read(after=written[20].id)] == written[21:]


async def test_what_did_not_happen_is_not_told(ledger: Ledger) -> None:
    await sign_in(ledger)
    before = await events(ledger)
    mark = await ledger.take_state(state(2), NOW + ATTEMPT_SECONDS, NOW)

    with pytest.raises(StoreConflict):
        await ledger.admit(admission(2, mark, over=7))

    assert await events(ledger) == before


async def test_the_end_of_a_grant_is_told_with_each_of_its_sessions(ledger: Ledger) -> None:
    for number in (1, 2):
        await sign_in(ledger, number, version=number)
    before = set(await events(ledger))

    await ledger.end_grant(KEY, NOW + 9)

    after = set(await events(ledger)) - before
    assert sorted((one.kind, one.reason, one.at) for one in after) == [
        ("grant.revoked", "disconnected", NOW + 9),
        *[("session.ended", "disconnected", NOW + 9)] * 2,
    ]


async def test_a_session_that_ends_beside_another_is_told_alone(ledger: Ledger) -> None:
    for number in (1, 2):
        await sign_in(ledger, number, version=number)

    await end(ledger, 1)

    ended = [
        one for one in await told(ledger) if one[0] not in ("grant.created", "session.started")
    ]
    assert ended == [("session.ended", "signed_out")]


async def test_what_the_sweep_removes_is_told(ledger: Ledger) -> None:
    await sign_in(ledger, ends_at=NOW + 60)

    while await Upkeep(ledger).sweep(NOW + 10 * IDLE_SECONDS, EVERYTHING):
        pass

    assert set(await told(ledger)) >= {("session.ended", "expired"), ("grant.revoked", "expired")}


async def test_events_tell_whose_they_are_and_are_read_by_kind_and_person(ledger: Ledger) -> None:
    for number in range(3):
        draft = Draft(NOW + number).tell("grant.created", ALICE)
        assert await ledger.write(draft, durably=False)
    draft = Draft(NOW + 3).tell("sign_in.failed", reason="InvalidGrant")
    assert await ledger.write(draft, durably=False)

    async def read(**options: Any) -> list[Event]:
        return [one async for one in log_of(ledger).read(**options)]

    *created, failed = await read()
    assert [one.person_id for one in created] == ["id of alice"] * 3
    assert (failed.kind, failed.at, failed.reason) == ("sign_in.failed", NOW + 3, "InvalidGrant")
    assert await read(person_id="id of alice") == created
    assert await read(kinds=["sign_in.failed"]) == [failed]
    assert await read(after=created[1].id, person_id="id of alice") == created[2:]


@pytest.mark.bound("events that are kept")
async def test_events_go_after_ninety_days_and_failed_sign_ins_after_one(ledger: Ledger) -> None:
    await write(ledger, 1)
    assert await ledger.write(Draft(NOW).tell("sign_in.failed"), durably=False)

    assert await Upkeep(ledger).sweep(NOW + FAILURE_KEPT_SECONDS - 1, EVERYTHING) == 0
    assert await Upkeep(ledger).sweep(NOW + KEPT_SECONDS - 1, EVERYTHING) == 1
    assert await told(ledger) == [("grant.created", "1")]
    assert await Upkeep(ledger).sweep(NOW + KEPT_SECONDS, EVERYTHING) == 1
    assert await events(ledger) == []


@pytest.mark.parametrize("now", [-1, 1 << 32, 1 << 37])
async def test_a_clock_that_is_far_off_stops_nobody(ledger: Ledger, now: int) -> None:
    assert await ledger.write(Draft(now).tell("grant.created"), durably=False)

    assert [event.at for event in await events(ledger)] == [now]


# Who hears of it in this process


async def test_listeners_hear_what_was_written_and_break_nothing(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def fail(event: Event) -> None:
        raise RuntimeError(event.kind)

    async def hear(event: Event) -> None:
        await asyncio.sleep(0)
        heard.append(event.kind)

    ledger.hub.listeners += [fail, hear, lambda event: heard.append(event.kind)]

    await sign_in(ledger)
    await ledger.hub.close()

    assert sorted(heard) == ["grant.created"] * 2 + ["session.started"] * 2
    assert sum("a listener of grant.created failed" in one for one in caplog.messages) == 1


@pytest.mark.bound("listeners of events under way")
async def test_listeners_that_never_end_are_bounded_and_do_not_hold_up_the_end(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[int] = []

    async def hang(event: Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(event.id)

    ledger.hub.listeners.append(hang)
    for _ in range(MOST_RUNNING + 1):
        ledger.tell(Draft(NOW).tell("grant.created"))

    await ledger.hub.close(grace_seconds=0.1)

    assert len(ended) == MOST_RUNNING
    assert caplog.messages == ["listeners are too slow: one missed grant.created"]


# Followers


class Follower:
    """A task that follows, and what it was handed."""

    def __init__(
        self,
        log: EventLog,
        name: str = "mail",
        act: Callable[[Event], Awaitable[None]] | None = None,
    ) -> None:
        self.got: list[str] = []
        self._act = act
        self._task = asyncio.create_task(log.follow(name, self._handle))

    async def _handle(self, event: Event) -> None:
        if self._act is not None:
            await self._act(event)
        self.got.append(event.reason or "")

    async def has(self, *reasons: str) -> None:
        await until_true(lambda: set(self.got) >= set(reasons))

    async def stop(self) -> None:
        self._task.cancel()
        (end,) = await asyncio.gather(self._task, return_exceptions=True)
        assert isinstance(end, asyncio.CancelledError)


@asynccontextmanager
async def following(*arguments: Any, **options: Any) -> AsyncIterator[Follower]:
    follower = Follower(*arguments, **options)
    yield follower
    await follower.stop()


async def test_a_follower_gets_each_event_once_and_goes_on_where_it_stopped(
    ledger: Ledger, other_ledger: Ledger
) -> None:
    await write(ledger, 1, 2)
    async with following(log_of(ledger)) as first:
        await first.has("1", "2")
        await write(other_ledger, 3, at=NOW + 1)
        await first.has("3")

    await write(ledger, 4, at=NOW + 2)
    async with following(log_of(other_ledger)) as second:
        await second.has("4")

    assert (first.got, second.got) == (["1", "2", "3"], ["4"])


async def test_an_event_that_becomes_visible_late_is_handed_over_too(ledger: Ledger) -> None:
    await write(ledger, 100)
    async with following(log_of(ledger)) as follower:
        await follower.has("100")
        await write(ledger, 1, at=NOW - LATE_SECONDS)
        await write(ledger, 2)
        await follower.has("1", "2")

    assert sorted(follower.got) == ["1", "100", "2"]


async def test_a_clock_that_ran_ahead_hides_no_later_event(ledger: Ledger) -> None:
    await write(ledger, 1, at=NOW + 10**8)
    async with following(log_of(ledger)) as follower:
        await follower.has("1")
        await write(ledger, 2)
        await follower.has("2")
    async with following(log_of(ledger)) as another:
        await write(ledger, 3)
        await another.has("3")

    assert (follower.got, another.got) == (["1", "2"], ["3"])


async def test_an_event_that_could_not_be_handled_is_handed_over_again(ledger: Ledger) -> None:
    tries = 0

    async def fail_once(_: Event) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError

    await write(ledger, 1, 2)
    async with following(log_of(ledger), act=fail_once) as follower:
        await follower.has("1", "2")

    assert (follower.got, tries) == (["1", "2"], 3)


async def test_of_two_followers_of_a_name_one_gets_everything_and_other_names_too(
    ledger: Ledger, other_ledger: Ledger
) -> None:
    async with (
        following(log_of(ledger)) as first,
        following(log_of(other_ledger)) as second,
        following(log_of(other_ledger), "audit") as audit,
    ):
        for number in range(5):
            await write(other_ledger, number)
        everything = [str(number) for number in range(5)]
        await audit.has(*everything)
        await until_true(lambda: sorted(first.got + second.got) == everything)
        stopped, other = (first, second) if first.got else (second, first)
        assert other.got == []
        await stopped.stop()
        await write(ledger, 5)
        await other.has("5")

    assert other.got == ["5"]


async def test_a_follower_whose_lease_was_taken_hands_nothing_more_over(ledger: Ledger) -> None:
    clock = NOW
    started = asyncio.Event()

    async def hang(_: Event) -> None:
        started.set()
        await asyncio.Event().wait()

    await write(ledger, 1)
    async with following(log_of(ledger, lambda: clock), act=hang) as stuck:
        await started.wait()
        clock += 3_600
        async with following(log_of(ledger, lambda: clock)) as next_one:
            await next_one.has("1")

    assert stuck.got == []


async def test_a_broken_event_is_left_out_and_a_broken_cursor_begins_anew(ledger: Ledger) -> None:
    await write(ledger, 1, 2)
    (row,) = await ledger.rows.read(Row(Kind.EVENT, name_of(1)))
    broken = Change(replace(row, rev=row.rev + 1, body=b"broken"), row.rev)
    stranger = Row(Kind.EVENT, b"x" * 30, 1, b"stranger")
    assert await ledger.rows.apply([broken, Change(stranger, 0)], durably=False)

    async with following(log_of(ledger)) as follower:
        await follower.has("2")
    (row,) = await ledger.rows.by_name(Kind.CURSOR, b"", 9)
    broken = Change(replace(row, rev=row.rev + 1, body=b"broken"), row.rev)
    assert await ledger.rows.apply([broken], durably=False)
    async with following(log_of(ledger)) as again:
        await again.has("2")

    assert (follower.got, again.got) == (["2"], ["2"])
    assert await told(ledger) == [("grant.created", "2")]


@pytest.mark.parametrize("place", SHARED, indirect=True)
async def test_a_follower_that_is_killed_between_two_events_delivers_both(
    ledger: Ledger, place: str
) -> None:
    now = int(time.time())
    await write(ledger, 1, 2, at=now)
    with children(("follow_events", place, "mail")) as (child,):
        assert child.line() == "1"
        child.go_on()
        assert child.line() == "2"
        assert child.end() == -9

    log = log_of(ledger, lambda: int(time.time()) + LEASE_SECONDS)
    async with following(log) as follower:
        await follower.has("2")
