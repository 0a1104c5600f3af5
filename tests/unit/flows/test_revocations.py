"""The queue of revocations: nothing is forgotten, nothing is asked too often, nobody is hurt."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from unit.flows.signing_in import sign_in
from unit.flows.workshop import NOW, REVOCATION_URL, REVOKED, Line, Workshop, answer

from webex_oauth.errors import AnswerLost, RequestNotSent, StoreUnavailable
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


async def workshop_with_one_queued(line: Line = DOWN, workshop: Workshop | None = None) -> Workshop:
    """Disconnect Alice while Webex answers revocations with *line*."""
    workshop = workshop or Workshop()
    session = await sign_in(workshop)
    workshop.webex.script(REVOCATION_URL, line)
    assert await workshop.sessions.disconnect(session.grant_key) is TokenFate.QUEUED
    workshop.webex.requests.clear()
    return workshop


async def due_after(workshop: Workshop) -> int:
    (record,) = await workshop.queued()
    return record.due_at - workshop.now


async def test_what_is_queued_is_delivered_once_webex_is_back() -> None:
    workshop = await workshop_with_one_queued()
    workshop.webex.script(REVOCATION_URL, REVOKED)
    workshop.now += 30 + HEAD_START_SECONDS

    assert await workshop.revocations.deliver_due() == 1

    assert workshop.revoked() == BOTH
    assert await workshop.queued() == []


async def test_a_restarted_process_delivers_what_the_earlier_one_queued() -> None:
    workshop = await workshop_with_one_queued()
    workshop.webex.script(REVOCATION_URL, REVOKED)
    workshop.now += 30 + HEAD_START_SECONDS

    assert await Revocations(workshop.context).deliver_due() == 1

    assert workshop.revoked() == BOTH


async def test_nothing_is_tried_before_it_is_due() -> None:
    workshop = await workshop_with_one_queued()
    workshop.now += 29 + HEAD_START_SECONDS

    assert await workshop.revocations.deliver_due() == 0

    assert workshop.revoked() == []


async def test_who_queued_tokens_has_a_head_start() -> None:
    workshop = Workshop()
    session = await sign_in(workshop)
    await workshop.ledger.end_grant(session.grant_key, NOW)

    workshop.now += HEAD_START_SECONDS - 1
    assert await workshop.revocations.deliver_due() == 0
    workshop.now += 1
    assert await workshop.revocations.deliver_due() == 1


async def test_each_failure_doubles_the_wait_up_to_six_hours() -> None:
    workshop = await workshop_with_one_queued()
    waits = [await due_after(workshop)]

    for _ in range(12):
        workshop.now += waits[-1] + HEAD_START_SECONDS
        await workshop.revocations.deliver_due()
        waits.append(await due_after(workshop))

    assert waits[:5] == [30, 30, 60, 120, 240]
    assert waits[-1] == LONGEST_WAIT_SECONDS


@pytest.mark.parametrize("status", [429, 503])
async def test_webex_says_when_to_come_back(status: int) -> None:
    workshop = await workshop_with_one_queued(answer({}, status, **{"retry-after": "900"}))

    assert await due_after(workshop) == 900


async def test_while_webex_asks_for_quiet_nobody_is_sent_there() -> None:
    workshop = await workshop_with_one_queued(answer({}, 429, **{"retry-after": "900"}))
    bob = await sign_in(workshop, "bob", number=2)
    workshop.webex.script(REVOCATION_URL, REVOKED)

    assert await workshop.sessions.disconnect(bob.grant_key) is TokenFate.QUEUED
    workshop.now += 1_000
    assert await workshop.revocations.deliver_due() == 0

    assert workshop.revoked() == []
    assert [record.try_count for record in await workshop.queued()] == [0, 0]


@pytest.mark.bound("tries of a revocation")
async def test_after_thirty_tries_it_is_given_up() -> None:
    workshop = await workshop_with_one_queued()

    for _ in range(MAX_TRIES):
        workshop.now += LONGEST_WAIT_SECONDS + HEAD_START_SECONDS
        await workshop.revocations.deliver_due()

    assert await workshop.queued() == []
    assert len(workshop.revoked()) == MAX_TRIES


async def test_tokens_that_ended_by_the_clock_alone_stay_in_the_queue() -> None:
    workshop = await workshop_with_one_queued()
    (record,) = await workshop.queued()
    assert record.ends_at
    workshop.now = record.ends_at

    await workshop.revocations.deliver_due()

    assert len(await workshop.queued()) == 1


@pytest.mark.parametrize("line", [DOWN, answer({}, 400), RequestNotSent("down"), AnswerLost("cut")])
async def test_a_failed_delivery_stays_in_the_queue(line: Line) -> None:
    workshop = await workshop_with_one_queued(line)
    workshop.now += 30 + HEAD_START_SECONDS

    assert await workshop.revocations.deliver_due() == 0

    assert len(await workshop.queued()) == 1


async def test_tokens_of_a_kind_that_is_not_revoked_there_are_done() -> None:
    workshop = Workshop()
    session = await sign_in(workshop)
    unsupported = answer({"error": "unsupported_token_type"}, 400)
    workshop.webex.script(REVOCATION_URL, unsupported, REVOKED)

    assert await workshop.sessions.disconnect(session.grant_key) is TokenFate.REVOKED

    assert workshop.revoked() == BOTH


@pytest.mark.parametrize(
    "spoil",
    [lambda body: body.replace(b"one", b"two", 1), lambda body: body[:-1] + bytes([body[-1] ^ 1])],
    ids=["the key is missing", "the seal is broken"],
)
async def test_tokens_that_cannot_be_opened_wait_and_hold_up_no_others(
    spoil: Callable[[bytes], bytes],
) -> None:
    workshop = await workshop_with_one_queued()
    (row,) = await workshop.rows.by_name(Kind.REVOCATION, b"", 9)
    spoilt = replace(row, rev=row.rev + 1, body=spoil(row.body))
    await workshop.rows.apply([Change(spoilt, row.rev)], durably=False)
    bob = await sign_in(workshop, "bob", number=2)
    workshop.webex.script(REVOCATION_URL, REVOKED)
    await workshop.ledger.end_grant(bob.grant_key, NOW)
    workshop.now += 30 + HEAD_START_SECONDS

    await workshop.revocations.deliver_due()

    assert workshop.revoked() == ["refresh-token-2", "access-token-2"]
    assert len(await workshop.rows.by_name(Kind.REVOCATION, b"", 9)) == 1


async def test_tokens_that_the_person_has_again_are_left_alone() -> None:
    workshop = await workshop_with_one_queued()
    await sign_in(workshop, number=1)
    workshop.webex.script(REVOCATION_URL, REVOKED)
    workshop.now += 30 + HEAD_START_SECONDS

    await workshop.revocations.deliver_due()

    assert workshop.revoked() == []
    assert await workshop.queued() == []


async def test_many_are_delivered_in_one_go_and_each_once() -> None:
    workshop = Workshop()
    sessions = [await sign_in(workshop, f"p{n}", number=n) for n in range(2 * BATCH + 1)]
    for session in sessions:
        await workshop.ledger.end_grant(session.grant_key, NOW)
    workshop.now += HEAD_START_SECONDS
    other = Revocations(workshop.context)

    counts = await asyncio.gather(workshop.revocations.deliver_due(), other.deliver_due())

    assert sum(counts) == len(sessions)
    assert len(workshop.revoked()) == len(set(workshop.revoked())) == 2 * len(sessions)


class LedgerThatForgetsToDrop(Ledger):
    """A store that is away whenever a revocation is done."""

    is_away = True

    async def drop_revocation(self, revocation: Revocation) -> None:
        if self.is_away:
            raise StoreUnavailable("away")
        await super().drop_revocation(revocation)


async def test_a_store_that_is_away_afterwards_costs_a_second_request_and_nothing_else() -> None:
    workshop = Workshop(ledger_type=LedgerThatForgetsToDrop)
    session = await sign_in(workshop)
    assert await workshop.sessions.disconnect(session.grant_key) is TokenFate.QUEUED
    assert isinstance(workshop.ledger, LedgerThatForgetsToDrop)
    workshop.ledger.is_away = False
    workshop.now += TAKEN_SECONDS + HEAD_START_SECONDS

    assert await workshop.revocations.deliver_due() == 1

    assert workshop.revoked() == BOTH * 2
    assert await workshop.queued() == []


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
    workshop = Workshop(ledger_type=LedgerThatIsAway)
    ledger = workshop.ledger
    assert isinstance(ledger, LedgerThatIsAway)
    session = await sign_in(workshop)
    worker = asyncio.create_task(workshop.revocations.run())
    await ledger.looked.wait()
    record = await ledger.end_grant(session.grant_key, NOW)
    assert record

    workshop.revocations.soon(record)
    await ledger.dropped.wait()

    assert workshop.revoked() == BOTH
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
    assert wait_seconds(tries, asked) == expected
