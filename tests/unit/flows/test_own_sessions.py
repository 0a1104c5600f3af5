"""A person's own sessions: seen, and ended one by one, all others, or everything."""

from dataclasses import replace

import pytest
from unit.flows.signing_in import sign_in
from unit.flows.workshop import IDLE_SECONDS, NOW, Workshop

from webex_oauth.flows.code_redemption import MAX_SESSIONS
from webex_oauth.flows.sessions import MAX_LISTED, TokenFate, handle_of
from webex_oauth.vault.records import digest
from webex_oauth.vault.rows import Change, Kind, Row

pytestmark = [pytest.mark.anyio, pytest.mark.check("D07")]


async def test_a_person_sees_their_sessions_and_nobody_elses() -> None:
    workshop = Workshop()
    this = await sign_in(workshop, browser="Firefox on Linux")
    workshop.now += 5
    await sign_in(workshop, browser="Safari on iPhone", number=2)
    await sign_in(workshop, "bob", number=3)

    first, second = await workshop.sessions.of_person(this)

    assert (first.browser, first.is_this, first.created_at) == ("Firefox on Linux", True, NOW)
    assert (second.browser, second.is_this) == ("Safari on iPhone", False)
    assert second.seen_at == NOW + 5


async def test_a_session_whose_time_is_over_is_not_listed() -> None:
    workshop = Workshop()
    await sign_in(workshop)
    workshop.now += IDLE_SECONDS
    this = await sign_in(workshop, number=2)

    listed = await workshop.sessions.of_person(this)

    assert [one.is_this for one in listed] == [True]


async def test_a_session_that_cannot_be_opened_can_still_be_ended() -> None:
    workshop = Workshop()
    broken, this = await sign_in(workshop), await sign_in(workshop, number=2)
    (row,) = await workshop.rows.read(Row(Kind.SESSION, digest(broken.session_id)))
    spoilt = replace(row, rev=row.rev + 1, body=bytes(len(row.body)))
    await workshop.rows.apply([Change(spoilt, row.rev)], durably=False)

    (other,) = [one for one in await workshop.sessions.of_person(this) if not one.is_this]

    assert other.browser is None
    assert await workshop.sessions.end(this, other.handle)


@pytest.mark.parametrize("chosen", [0, 1, 2])
async def test_one_other_session_is_ended_and_no_token_is_revoked(chosen: int) -> None:
    workshop = Workshop()
    this = await sign_in(workshop)
    others = [await sign_in(workshop) for _ in range(3)]

    assert await workshop.sessions.end(this, handle_of(digest(others[chosen].session_id)))

    assert await workshop.sessions.find(this.session_id) is not None
    found = [await workshop.sessions.find(other.session_id) for other in others]
    assert [number for number in range(3) if found[number] is None] == [chosen]
    assert workshop.revoked() == []


@pytest.mark.check("F07")
async def test_nobody_ends_the_session_of_another_person() -> None:
    workshop = Workshop()
    alice, bob = await sign_in(workshop), await sign_in(workshop, "bob", number=2)

    for handle in (handle_of(digest(bob.session_id)), digest(bob.session_id).hex(), "", "x"):
        assert not await workshop.sessions.end(alice, handle)

    assert await workshop.sessions.find(bob.session_id) is not None


async def test_this_session_is_not_ended_as_if_it_were_another() -> None:
    workshop = Workshop()
    this = await sign_in(workshop)

    assert not await workshop.sessions.end(this, handle_of(digest(this.session_id)))

    assert await workshop.sessions.find(this.session_id) is not None


async def test_all_others_end_however_many_they_are() -> None:
    workshop = Workshop()
    others = [await sign_in(workshop) for _ in range(MAX_LISTED + 20)]
    this = await sign_in(workshop)
    bob = await sign_in(workshop, "bob", number=2)

    assert await workshop.sessions.end_others(this) == MAX_LISTED + 20

    assert [one for one in others if await workshop.sessions.find(one.session_id)] == []
    assert await workshop.sessions.find(this.session_id) is not None
    assert await workshop.sessions.find(bob.session_id) is not None


@pytest.mark.check("B12")
async def test_disconnecting_ends_every_session_and_the_tokens_of_one_person() -> None:
    workshop = Workshop()
    this, other = await sign_in(workshop), await sign_in(workshop)
    bob = await sign_in(workshop, "bob", number=2)

    assert await workshop.sessions.disconnect(this.grant_key) is TokenFate.REVOKED

    assert await workshop.sessions.find(this.session_id) is None
    assert await workshop.sessions.find(other.session_id) is None
    assert not await workshop.ledger.has_grant(this.grant_key)
    assert await workshop.sessions.find(bob.session_id) is not None
    assert workshop.revoked() == ["refresh-token-1", "access-token-1"]
    assert await workshop.queued() == []


async def test_disconnecting_somebody_who_is_not_there_says_so() -> None:
    assert await Workshop().sessions.disconnect(b"k" * 32) is TokenFate.GONE


async def test_a_kept_grant_outlives_its_last_session_and_ends_with_a_disconnect() -> None:
    workshop = Workshop(keeps_grants=True)
    this = await sign_in(workshop)

    assert await workshop.sessions.sign_out(this.session_id) is TokenFate.KEPT

    assert await workshop.ledger.has_grant(this.grant_key)
    assert workshop.revoked() == []
    assert await workshop.sessions.disconnect(this.grant_key) is TokenFate.REVOKED


@pytest.mark.bound("sessions of a person")
async def test_a_person_is_signed_in_in_a_bounded_number_of_browsers() -> None:
    workshop = Workshop()
    unused = latest = await sign_in(workshop)
    for number in range(1, MAX_SESSIONS + 5):
        workshop.now += 1
        latest = await sign_in(workshop, number=number)

    kept = await workshop.ledger.sessions_of(latest.grant_key, 2 * MAX_SESSIONS)
    assert len(kept) == MAX_SESSIONS
    assert await workshop.sessions.find(latest.session_id)
    assert await workshop.sessions.find(unused.session_id) is None
