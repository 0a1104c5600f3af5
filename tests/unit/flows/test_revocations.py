"""The queue of revocations: nothing is forgotten, nothing is asked too often, nobody is hurt."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace
from unit.flows.fixtures import NOW, REVOCATION_URL, REVOKED, FlowFixture, Line, answer
from unit.flows.signing_in import sign_in

from webex_oauth.errors import AnswerLost, RequestNotSent, StoreUnavailable, UpstreamError
from webex_oauth.flows.revocation import (
    BATCH,
    HEAD_START_SECONDS,
    LONGEST_WAIT_SECONDS,
    MAX_TRIES,
    TAKEN_SECONDS,
    Revocations,
    wait_seconds,
)
from webex_oauth.flows.sessions import TokenFate
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import Revocation
from webex_oauth.vault.rows import Change, Kind

pytestmark = [pytest.mark.anyio, pytest.mark.check("B12")]

DOWN = answer({}, 500)
BOTH = ["refresh-token-1", "access-token-1"]


async def workshop_with_one_queued(
    line: Line = DOWN, fixture: FlowFixture | None = None
) -> FlowFixture:
    """Disconnect Alice while Webex answers revocations with *line*."""
    fixture = fixture or FlowFixture()
    session = await sign_in(fixture)
    fixture.webex.script(REVOCATION_URL, line)
    assert await fixture.sessions.disconnect(session.grant_key) is TokenFate.QUEUED
    fixture.webex.requests.clear()
    return fixture


async def due_after(fixture: FlowFixture) -> int:
    (record,) = await fixture.queued()
    return record.due_at - fixture.now


async def test_what_is_queued_is_delivered_once_webex_is_back() -> None:
    fixture = await workshop_with_one_queued()
    fixture.webex.script(REVOCATION_URL, REVOKED)
    fixture.now += 30 + HEAD_START_SECONDS

    assert await fixture.revocations.deliver_due() == 1

    assert fixture.revoked() == BOTH
    assert await fixture.queued() == []


async def test_a_restarted_process_delivers_what_the_earlier_one_queued() -> None:
    fixture = await workshop_with_one_queued()
    fixture.webex.script(REVOCATION_URL, REVOKED)
    fixture.now += 30 + HEAD_START_SECONDS

    assert await Revocations(fixture.context).deliver_due() == 1

    assert fixture.revoked() == BOTH


async def test_nothing_is_tried_before_it_is_due() -> None:
    fixture = await workshop_with_one_queued()
    fixture.now += 29 + HEAD_START_SECONDS

    assert await fixture.revocations.deliver_due() == 0

    assert fixture.revoked() == []


async def test_who_queued_tokens_has_a_head_start() -> None:
    fixture = FlowFixture()
    session = await sign_in(fixture)
    await fixture.ledger.end_grant(session.grant_key, NOW)

    fixture.now += HEAD_START_SECONDS - 1
    assert await fixture.revocations.deliver_due() == 0
    fixture.now += 1
    assert await fixture.revocations.deliver_due() == 1


async def test_each_failure_doubles_the_wait_up_to_six_hours() -> None:
    fixture = await workshop_with_one_queued()
    waits = [await due_after(fixture)]

    for _ in range(12):
        fixture.now += waits[-1] + HEAD_START_SECONDS
        await fixture.revocations.deliver_due()
        waits.append(await due_after(fixture))

    assert waits[:5] == [30, 30, 60, 120, 240]
    assert waits[-1] == LONGEST_WAIT_SECONDS


@pytest.mark.parametrize("status", [429, 503])
async def test_webex_says_when_to_come_back(status: int) -> None:
    fixture = await workshop_with_one_queued(answer({}, status, **{"retry-after": "900"}))

    assert await due_after(fixture) == 900


async def test_while_webex_asks_for_quiet_no_request_is_sent() -> None:
    fixture = await workshop_with_one_queued(answer({}, 429, **{"retry-after": "900"}))
    bob = await sign_in(fixture, "bob", number=2)
    fixture.webex.script(REVOCATION_URL, REVOKED)

    assert await fixture.sessions.disconnect(bob.grant_key) is TokenFate.QUEUED
    fixture.now += 1_000
    assert await fixture.revocations.deliver_due() == 0

    assert fixture.revoked() == []
    assert [record.try_count for record in await fixture.queued()] == [0, 0]


@pytest.mark.bound("tries of a revocation")
async def test_after_thirty_tries_it_is_given_up() -> None:
    fixture = await workshop_with_one_queued()

    for _ in range(MAX_TRIES):
        fixture.now += LONGEST_WAIT_SECONDS + HEAD_START_SECONDS
        await fixture.revocations.deliver_due()

    assert await fixture.queued() == []
    assert len(fixture.revoked()) == MAX_TRIES


async def test_tokens_that_ended_by_the_clock_alone_stay_in_the_queue() -> None:
    fixture = await workshop_with_one_queued()
    (record,) = await fixture.queued()
    assert record.ends_at
    fixture.now = record.ends_at

    await fixture.revocations.deliver_due()

    assert len(await fixture.queued()) == 1


@pytest.mark.parametrize("line", [DOWN, answer({}, 400), RequestNotSent("down"), AnswerLost("cut")])
async def test_a_failed_delivery_stays_in_the_queue(line: Line) -> None:
    fixture = await workshop_with_one_queued(line)
    fixture.now += 30 + HEAD_START_SECONDS

    assert await fixture.revocations.deliver_due() == 0

    assert len(await fixture.queued()) == 1


async def test_tokens_of_a_kind_that_is_not_revoked_there_are_done() -> None:
    fixture = FlowFixture()
    session = await sign_in(fixture)
    unsupported = answer({"error": "unsupported_token_type"}, 400)
    fixture.webex.script(REVOCATION_URL, unsupported, REVOKED)

    assert await fixture.sessions.disconnect(session.grant_key) is TokenFate.REVOKED

    assert fixture.revoked() == BOTH


@pytest.mark.parametrize(
    "spoil",
    [lambda body: body.replace(b"one", b"two", 1), lambda body: body[:-1] + bytes([body[-1] ^ 1])],
    ids=["the key is missing", "the seal is broken"],
)
async def test_tokens_that_cannot_be_opened_wait_and_hold_up_no_others(
    spoil: Callable[[bytes], bytes],
) -> None:
    fixture = await workshop_with_one_queued()
    (row,) = await fixture.rows.by_name(Kind.REVOCATION, b"", 9)
    spoilt = replace(row, rev=row.rev + 1, body=spoil(row.body))
    await fixture.rows.apply([Change(spoilt, row.rev)], durably=False)
    bob = await sign_in(fixture, "bob", number=2)
    fixture.webex.script(REVOCATION_URL, REVOKED)
    await fixture.ledger.end_grant(bob.grant_key, NOW)
    fixture.now += 30 + HEAD_START_SECONDS

    await fixture.revocations.deliver_due()

    assert fixture.revoked() == ["refresh-token-2", "access-token-2"]
    assert len(await fixture.rows.by_name(Kind.REVOCATION, b"", 9)) == 1


async def test_tokens_that_the_person_has_again_are_left_alone() -> None:
    fixture = await workshop_with_one_queued()
    await sign_in(fixture, number=1)
    fixture.webex.script(REVOCATION_URL, REVOKED)
    fixture.now += 30 + HEAD_START_SECONDS

    await fixture.revocations.deliver_due()

    assert fixture.revoked() == []
    assert await fixture.queued() == []


async def test_many_are_delivered_in_one_go_and_each_once() -> None:
    fixture = FlowFixture()
    sessions = [await sign_in(fixture, f"p{n}", number=n) for n in range(2 * BATCH + 1)]
    for session in sessions:
        await fixture.ledger.end_grant(session.grant_key, NOW)
    fixture.now += HEAD_START_SECONDS
    other = Revocations(fixture.context)

    counts = await asyncio.gather(fixture.revocations.deliver_due(), other.deliver_due())

    assert sum(counts) == len(sessions)
    assert len(fixture.revoked()) == len(set(fixture.revoked())) == 2 * len(sessions)


class LedgerThatForgetsToDrop(Ledger):
    """A store that is away whenever a revocation is done."""

    is_away = True

    async def drop_revocation(self, revocation: Revocation) -> None:
        if self.is_away:
            raise StoreUnavailable("away")
        await super().drop_revocation(revocation)


async def test_a_store_that_is_away_afterwards_costs_a_second_request_and_nothing_else() -> None:
    fixture = FlowFixture(ledger_type=LedgerThatForgetsToDrop)
    session = await sign_in(fixture)
    assert await fixture.sessions.disconnect(session.grant_key) is TokenFate.QUEUED
    assert isinstance(fixture.ledger, LedgerThatForgetsToDrop)
    fixture.ledger.is_away = False
    fixture.now += TAKEN_SECONDS + HEAD_START_SECONDS

    assert await fixture.revocations.deliver_due() == 1

    assert fixture.revoked() == BOTH * 2
    assert await fixture.queued() == []


class LedgerThatIsAway(Ledger):
    """A store that is away when its revocations are asked for."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.looked, self.dropped = asyncio.Event(), asyncio.Event()

    async def take_revocations(self, now: int, until: int, limit: int) -> list[Revocation]:
        self.looked.set()
        raise StoreUnavailable(f"away: {now}, {until}, {limit}")

    async def drop_revocation(self, revocation: Revocation) -> None:
        await super().drop_revocation(revocation)
        self.dropped.set()


async def test_the_worker_outlives_a_store_that_is_away_and_delivers_what_it_is_handed() -> None:
    fixture = FlowFixture(ledger_type=LedgerThatIsAway)
    ledger = fixture.ledger
    assert isinstance(ledger, LedgerThatIsAway)
    session = await sign_in(fixture)
    worker = asyncio.create_task(fixture.revocations.run())
    await ledger.looked.wait()
    record = await ledger.end_grant(session.grant_key, NOW)
    assert record

    fixture.revocations.soon(record)
    await ledger.dropped.wait()

    assert fixture.revoked() == BOTH
    worker.cancel()
    with suppress(asyncio.CancelledError):
        await worker


@pytest.mark.parametrize(
    ("tries", "asked", "expected"),
    [
        (0, None, 30),
        (1, None, 30),
        (2, None, 60),
        (9, None, 7680),
        (11, None, LONGEST_WAIT_SECONDS),
        (10**9, None, LONGEST_WAIT_SECONDS),
        (1, 10, 30),
        (1, 3600, 3600),
    ],
)
def test_how_long_a_revocation_waits(tries: int, asked: int | None, expected: int) -> None:
    assert wait_seconds(tries, UpstreamError("busy", asked)) == expected
