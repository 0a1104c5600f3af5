"""A person's own sessions: seen, and ended one by one, all others, or everything."""

import pytest
from msgspec.structs import replace
from unit.flows.fixtures import IDLE_SECONDS, NOW, FlowFixture
from unit.flows.signing_in import sign_in

from webex_oauth.flows.code_redemption import MAX_SESSIONS
from webex_oauth.flows.sessions import MAX_LISTED, TokenFate, handle_of
from webex_oauth.vault.records import digest
from webex_oauth.vault.rows import Change, Kind, Row

pytestmark = [pytest.mark.anyio, pytest.mark.check("D07")]


async def test_a_person_sees_their_own_sessions_alone() -> None:
    fixture = FlowFixture()
    this = await sign_in(fixture, browser="Firefox on Linux")
    fixture.now += 5
    await sign_in(fixture, browser="Safari on iPhone", number=2)
    await sign_in(fixture, "bob", number=3)

    first, second = await fixture.sessions.of_person(this)

    assert (first.browser, first.is_this, first.created_at) == ("Firefox on Linux", True, NOW)
    assert (second.browser, second.is_this) == ("Safari on iPhone", False)
    assert second.seen_at == NOW + 5


async def test_a_session_whose_time_is_over_is_not_listed() -> None:
    fixture = FlowFixture()
    await sign_in(fixture)
    fixture.now += IDLE_SECONDS
    this = await sign_in(fixture, number=2)

    listed = await fixture.sessions.of_person(this)

    assert [one.is_this for one in listed] == [True]


async def test_a_session_that_cannot_be_opened_can_still_be_ended() -> None:
    fixture = FlowFixture()
    broken, this = await sign_in(fixture), await sign_in(fixture, number=2)
    (row,) = await fixture.rows.read(Row(Kind.SESSION, digest(broken.session_id)))
    spoilt = replace(row, rev=row.rev + 1, body=bytes(len(row.body)))
    await fixture.rows.apply([Change(spoilt, row.rev)], durably=False)

    (other,) = [one for one in await fixture.sessions.of_person(this) if not one.is_this]

    assert other.browser is None
    assert await fixture.sessions.end(this, other.handle)


@pytest.mark.parametrize("chosen", [0, 1, 2])
async def test_one_other_session_is_ended_and_no_token_is_revoked(chosen: int) -> None:
    fixture = FlowFixture()
    this = await sign_in(fixture)
    others = [await sign_in(fixture) for _ in range(3)]

    assert await fixture.sessions.end(this, handle_of(digest(others[chosen].session_id)))

    assert await fixture.sessions.find(this.session_id) is not None
    found = [await fixture.sessions.find(other.session_id) for other in others]
    assert [number for number in range(3) if found[number] is None] == [chosen]
    assert fixture.revoked() == []


@pytest.mark.check("F07")
async def test_no_person_ends_the_session_of_another() -> None:
    fixture = FlowFixture()
    alice, bob = await sign_in(fixture), await sign_in(fixture, "bob", number=2)

    for handle in (handle_of(digest(bob.session_id)), digest(bob.session_id).hex(), "", "x"):
        assert not await fixture.sessions.end(alice, handle)

    assert await fixture.sessions.find(bob.session_id) is not None


async def test_this_session_is_not_ended_as_if_it_were_another() -> None:
    fixture = FlowFixture()
    this = await sign_in(fixture)

    assert not await fixture.sessions.end(this, handle_of(digest(this.session_id)))

    assert await fixture.sessions.find(this.session_id) is not None


async def test_all_others_end_however_many_they_are() -> None:
    fixture = FlowFixture()
    others = [await sign_in(fixture) for _ in range(MAX_LISTED + 20)]
    this = await sign_in(fixture)
    bob = await sign_in(fixture, "bob", number=2)

    assert await fixture.sessions.end_others(this) == MAX_LISTED + 20

    assert [one for one in others if await fixture.sessions.find(one.session_id)] == []
    assert await fixture.sessions.find(this.session_id) is not None
    assert await fixture.sessions.find(bob.session_id) is not None


@pytest.mark.check("B12")
async def test_disconnecting_ends_every_session_and_the_tokens_of_one_person() -> None:
    fixture = FlowFixture()
    this, other = await sign_in(fixture), await sign_in(fixture)
    bob = await sign_in(fixture, "bob", number=2)

    assert await fixture.sessions.disconnect(this.grant_key) is TokenFate.REVOKED

    assert await fixture.sessions.find(this.session_id) is None
    assert await fixture.sessions.find(other.session_id) is None
    assert not await fixture.ledger.has_grant(this.grant_key)
    assert await fixture.sessions.find(bob.session_id) is not None
    assert fixture.revoked() == ["refresh-token-1", "access-token-1"]
    assert await fixture.queued() == []


async def test_disconnecting_an_unknown_person_says_so() -> None:
    assert await FlowFixture().sessions.disconnect(b"k" * 32) is TokenFate.GONE


async def test_a_kept_grant_outlives_its_last_session_and_ends_with_a_disconnect() -> None:
    fixture = FlowFixture(keeps_grants=True)
    this = await sign_in(fixture)

    assert await fixture.sessions.sign_out(this.session_id) is TokenFate.KEPT

    assert await fixture.ledger.has_grant(this.grant_key)
    assert fixture.revoked() == []
    assert await fixture.sessions.disconnect(this.grant_key) is TokenFate.REVOKED


@pytest.mark.bound("sessions of a person")
async def test_a_person_is_signed_in_in_a_bounded_number_of_browsers() -> None:
    fixture = FlowFixture()
    unused = latest = await sign_in(fixture)
    for number in range(1, MAX_SESSIONS + 5):
        fixture.now += 1
        latest = await sign_in(fixture, number=number)

    kept = await fixture.ledger.sessions_of(latest.grant_key, 2 * MAX_SESSIONS)
    assert len(kept) == MAX_SESSIONS
    assert await fixture.sessions.find(latest.session_id)
    assert await fixture.sessions.find(unused.session_id) is None
