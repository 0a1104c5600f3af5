"""Signing in: a state is taken once, and what a sign-in brings is kept whole or not at all."""

import asyncio

import pytest
from contracts.records import (
    ATTEMPT_SECONDS,
    IDLE_SECONDS,
    KEY,
    NOW,
    admission,
    digest_of,
    end,
    found_grant,
    found_session,
    grant,
    key_of,
    revocation,
    session,
    sign_in,
    state,
    taken,
)
from msgspec.structs import replace

from webex_oauth.errors import AttemptInProgress, AttemptUnknown, StoreConflict
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import MARK_KEPT_SECONDS, EndedSession, Mark
from webex_oauth.vault.rows import Entry
from webex_oauth.vault.tables import Draft

pytestmark = pytest.mark.anyio

EXPIRES_AT = NOW + ATTEMPT_SECONDS


async def take(ledger: Ledger, now: int = NOW, number: int = 1) -> Entry[Mark]:
    return await ledger.take_state(state(number), EXPIRES_AT, now)


def failure() -> Draft:
    return Draft(NOW).tell("sign_in.failed", reason="InvalidGrant")


@pytest.mark.check("A05")
async def test_a_state_is_taken_until_its_last_second(ledger: Ledger) -> None:
    with pytest.raises(AttemptUnknown):
        await take(ledger, EXPIRES_AT)

    mark = await take(ledger, EXPIRES_AT - 1)

    assert mark.record == Mark(EXPIRES_AT)


async def test_a_taken_state_is_in_progress(ledger: Ledger) -> None:
    await take(ledger)

    with pytest.raises(AttemptInProgress):
        await take(ledger)


@pytest.mark.check("A03")
async def test_of_200_who_take_a_state_on_two_machines_one_gets_it(
    ledger: Ledger, other_ledger: Ledger
) -> None:
    outcomes = await asyncio.gather(
        *(take(one) for _ in range(100) for one in (ledger, other_ledger)), return_exceptions=True
    )

    assert sum(isinstance(outcome, Entry) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AttemptInProgress) for outcome in outcomes) == 199


async def test_a_finished_state_names_its_session_however_often_it_is_asked_for(
    ledger: Ledger,
) -> None:
    await sign_in(ledger)

    for now in (NOW, NOW + 1, EXPIRES_AT + 1):
        mark = await take(ledger, now)
        assert mark.record == Mark(EXPIRES_AT, is_finished=True, session_digest=session().digest)


async def test_an_abandoned_state_is_finished_without_a_session(ledger: Ledger) -> None:
    await ledger.abandon_state(state(), await take(ledger), failure())

    assert (await take(ledger)).record == Mark(EXPIRES_AT, is_finished=True)


async def test_a_late_wish_to_abandon_a_finished_state_changes_nothing(ledger: Ledger) -> None:
    mark = await take(ledger)
    await ledger.admit(admission(1, mark))

    assert not await ledger.abandon_state(state(), mark, failure())

    assert (await take(ledger)).record.session_digest == session().digest


async def test_a_finished_state_is_recognised_for_a_while_after_it_expired(ledger: Ledger) -> None:
    await sign_in(ledger)

    assert (await take(ledger, EXPIRES_AT + MARK_KEPT_SECONDS - 1)).record.is_finished
    with pytest.raises(AttemptUnknown):
        await take(ledger, EXPIRES_AT + MARK_KEPT_SECONDS)


async def test_a_sign_in_is_found_as_it_was_kept(ledger: Ledger) -> None:
    assert await sign_in(ledger) is None

    assert await found_grant(ledger) == grant()
    assert await found_session(ledger) == session()


@pytest.mark.check("D05")
async def test_what_one_machine_keeps_and_ends_another_one_sees(
    ledger: Ledger, other_ledger: Ledger
) -> None:
    await sign_in(ledger)
    assert await found_session(other_ledger) == session()
    assert await found_grant(other_ledger) == grant()

    await other_ledger.end_grant(KEY, NOW)

    assert await found_session(ledger) is None
    assert await found_grant(ledger) is None


async def test_a_refused_admission_changes_nothing(ledger: Ledger) -> None:
    await sign_in(ledger)
    mark = await take(ledger, number=2)
    refused = replace(
        admission(2, mark, version=2, over=9),
        replaced_session=digest_of("session", 1),
        earlier=revocation(),
    )

    with pytest.raises(StoreConflict):
        await ledger.admit(refused)

    assert await found_grant(ledger) == grant()
    assert await found_session(ledger, 1) == session(1)
    assert await found_session(ledger, 2) is None
    assert await taken(ledger) == []
    with pytest.raises(AttemptInProgress):
        await take(ledger, number=2)


async def test_an_admission_with_a_taken_session_id_keeps_no_grant(ledger: Ledger) -> None:
    await sign_in(ledger)
    clashing = replace(admission(2, await take(ledger, number=2), of=2), session=session(1, of=2))

    with pytest.raises(StoreConflict):
        await ledger.admit(clashing)

    assert await found_grant(ledger, 2) is None


async def test_of_50_sign_ins_over_one_revision_one_is_admitted(ledger: Ledger) -> None:
    marks = [await take(ledger, number=number) for number in range(50)]

    outcomes = await asyncio.gather(
        *(ledger.admit(admission(number, mark)) for number, mark in enumerate(marks)),
        return_exceptions=True,
    )

    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, StoreConflict) for outcome in outcomes) == 49


async def test_signing_in_again_ends_the_old_session_and_keeps_the_grant(ledger: Ledger) -> None:
    await sign_in(ledger, 1)

    ended = await sign_in(ledger, 2, version=2, replaced=1)

    assert ended == EndedSession(KEY, None)
    assert await found_session(ledger, 1) is None
    assert await found_grant(ledger) == grant(version=2)


async def test_signing_in_as_another_person_queues_the_first_ones_tokens(ledger: Ledger) -> None:
    await sign_in(ledger, 1, of=1)

    ended = await sign_in(ledger, 2, of=2, replaced=1)

    assert ended == EndedSession(KEY, revocation())
    assert await found_grant(ledger, 1) is None
    assert await found_grant(ledger, 2) == grant(2)
    assert [one.grant_key for one in await taken(ledger)] == [KEY]


async def test_signing_in_as_another_person_leaves_the_first_ones_other_browser(
    ledger: Ledger,
) -> None:
    await sign_in(ledger, 1)
    await sign_in(ledger, 2, version=2)

    ended = await sign_in(ledger, 3, of=2, replaced=1)

    assert ended == EndedSession(KEY, None)
    assert await found_session(ledger, 2) == session(2)


async def test_a_replaced_session_counts_idle_ones_as_gone(ledger: Ledger) -> None:
    later = NOW + IDLE_SECONDS
    await sign_in(ledger, 1)
    await sign_in(ledger, 2, version=2, created_at=later)

    ended = await sign_in(ledger, 3, of=2, replaced=2, created_at=later)

    assert ended == EndedSession(KEY, revocation(version=2, due_at=later))


async def test_a_replaced_sessions_grant_stays_where_grants_are_kept(ledger: Ledger) -> None:
    await sign_in(ledger, 1)

    ended = await sign_in(ledger, 2, of=2, replaced=1, keeps_grants=True)

    assert ended == EndedSession(KEY, None)
    assert await found_grant(ledger) == grant()


async def test_a_replaced_session_that_is_gone_does_not_matter(ledger: Ledger) -> None:
    assert await sign_in(ledger, 1, replaced=7) is None

    assert await found_session(ledger) == session()


async def test_a_sign_in_queues_the_tokens_that_it_replaces(ledger: Ledger) -> None:
    await sign_in(ledger, 1)

    await sign_in(ledger, 2, version=2, earlier=revocation(version=1))

    assert [one.version for one in await taken(ledger)] == [1]
    assert await found_grant(ledger) == grant(version=2)


async def test_a_session_that_ends_beside_a_sign_in_leaves_the_new_session_its_grant(
    ledger: Ledger, other_ledger: Ledger
) -> None:
    for round_number in range(10):
        first, second = 2 * round_number, 2 * round_number + 1
        await sign_in(ledger, first)

        outcome, _ = await asyncio.gather(
            sign_in(other_ledger, second, version=2), end(ledger, first), return_exceptions=True
        )

        is_admitted = not isinstance(outcome, BaseException)
        assert is_admitted or isinstance(outcome, StoreConflict)
        assert (await found_grant(ledger) is not None) == is_admitted, round_number
        assert (await found_session(ledger, second) is not None) == is_admitted
        await ledger.end_grant(key_of(1), NOW)
        for one in await taken(ledger):
            await ledger.drop_revocation(one)
