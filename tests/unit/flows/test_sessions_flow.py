"""Sessions: found while they live, touched sparingly, ended here before anywhere else."""

import asyncio

import pytest
from msgspec.structs import replace
from unit.flows.fixtures import (
    ABSOLUTE_SECONDS,
    IDLE_SECONDS,
    NOW,
    REVOCATION_URL,
    FlowFixture,
    Line,
    answer,
)
from unit.flows.signing_in import callback_query

from webex_oauth.errors import AnswerLost, AttemptForeign, AttemptUnknown
from webex_oauth.flows.revocation import REVOCATION_SECONDS
from webex_oauth.flows.sessions import TokenFate
from webex_oauth.flows.sign_in import (
    ATTEMPT_SECONDS,
    HOME,
    NotSignedIn,
    Outcome,
    SentOn,
    SignedIn,
    read_return_to,
)
from webex_oauth.oauth.authorization import read_callback
from webex_oauth.secret import Secret
from webex_oauth.vault.records import MARK_KEPT_SECONDS, digest
from webex_oauth.vault.rows import Change, Kind, Row

pytestmark = pytest.mark.anyio


async def signed_in(fixture: FlowFixture) -> Secret:
    started = fixture.sign_in.begin(HOME)
    outcome = await fixture.sign_in.complete(
        read_callback(callback_query(started)),
        attempt=started.attempt,
        session_id=None,
    )
    assert isinstance(outcome, SignedIn)
    assert outcome.session_id
    return outcome.session_id


@pytest.mark.check("D04")
@pytest.mark.parametrize(
    ("steps", "lives"),
    [
        ([IDLE_SECONDS - 1], True),
        ([IDLE_SECONDS], False),
        ([IDLE_SECONDS - 1] * 6, True),
        ([IDLE_SECONDS - 1] * 7, False),
    ],
)
async def test_a_session_lives_while_it_is_used_and_not_too_old(
    steps: list[int], *, lives: bool
) -> None:
    fixture = FlowFixture()
    session_id = await signed_in(fixture)
    found = None

    for seconds in steps:
        fixture.now += seconds
        found = await fixture.sessions.find(session_id)

    assert (found is not None) is lives
    assert ABSOLUTE_SECONDS // IDLE_SECONDS == 6


async def test_use_is_written_down_once_a_minute() -> None:
    fixture = FlowFixture()
    session_id = await signed_in(fixture)

    seen = []
    for _ in range(4):
        fixture.now += 30
        await fixture.sessions.find(session_id)
        found = await fixture.ledger.find_session(digest(session_id))
        assert found
        seen.append(found.record.seen_at - NOW)

    assert seen == [0, 60, 60, 120]


@pytest.mark.parametrize("line", [answer({}, 500), answer({}, 400), AnswerLost("reset")], ids=repr)
async def test_a_revocation_that_fails_is_told_and_the_session_is_over(line: Line) -> None:
    fixture = FlowFixture()
    session_id = await signed_in(fixture)
    fixture.webex.script(REVOCATION_URL, line)

    assert await fixture.sessions.sign_out(session_id) is TokenFate.QUEUED

    assert await fixture.sessions.find(session_id) is None


@pytest.mark.check("D05")
async def test_signing_out_revokes_unless_another_session_uses_the_tokens() -> None:
    fixture = FlowFixture()
    first, second = await signed_in(fixture), await signed_in(fixture)

    assert await fixture.sessions.sign_out(first) is TokenFate.SHARED
    assert await fixture.sessions.sign_out(second) is TokenFate.REVOKED

    assert await fixture.sessions.find(second) is None
    hints = [form["token_type_hint"] for form in fixture.webex.forms(REVOCATION_URL)]
    assert hints == ["refresh_token", "access_token"]


async def test_signing_out_of_what_was_given_up_before_claims_nothing() -> None:
    fixture = FlowFixture()
    session_id = await signed_in(fixture)
    session = await fixture.sessions.find(session_id)
    assert session is not None
    (row,) = await fixture.rows.read(Row(Kind.GRANT, session.grant_key))
    await fixture.rows.apply([Change(replace(row, rev=0), row.rev)], durably=False)

    assert await fixture.sessions.sign_out(session_id) is TokenFate.GONE
    assert await fixture.queued() == []


async def test_a_sign_out_waits_for_webex_two_seconds_and_no_longer() -> None:
    fixture = FlowFixture()
    session_id = await signed_in(fixture)
    fixture.webex.is_silent = True
    loop = asyncio.get_running_loop()
    began = loop.time()

    assert await fixture.sessions.sign_out(session_id) is TokenFate.QUEUED

    assert REVOCATION_SECONDS <= loop.time() - began < REVOCATION_SECONDS + 1


@pytest.mark.check("A02")
@pytest.mark.parametrize("presented", [None, Secret(""), Secret("x" * 43)])
async def test_an_attempt_of_another_browser_is_refused(presented: Secret | None) -> None:
    fixture = FlowFixture()
    started = fixture.sign_in.begin(read_return_to("/listrooms"))

    outcome = await fixture.sign_in.complete(
        read_callback(callback_query(started)), attempt=presented, session_id=None
    )

    assert isinstance(outcome, NotSignedIn)
    assert isinstance(outcome.error, AttemptForeign)
    assert outcome.return_to == HOME
    assert fixture.webex.requests == []


@pytest.mark.check("A05")
@pytest.mark.parametrize("seconds", [600, -400 * 86_400], ids=["ten minutes", "a wrong clock"])
async def test_an_attempt_is_over_after_ten_minutes_to_the_second(seconds: int) -> None:
    fixture = FlowFixture()
    started = fixture.sign_in.begin(HOME)
    fixture.now += seconds

    outcome = await fixture.sign_in.complete(
        read_callback(callback_query(started)),
        attempt=started.attempt,
        session_id=None,
    )

    assert isinstance(outcome, NotSignedIn)
    assert isinstance(outcome.error, AttemptUnknown)


@pytest.mark.check("A03", "A06")
async def test_of_twenty_deliveries_at_once_one_asks_webex_and_one_session_is_left() -> None:
    fixture = FlowFixture()
    started = fixture.sign_in.begin(read_return_to("/listrooms"))

    outcomes = await asyncio.gather(
        *(
            fixture.sign_in.complete(
                read_callback(callback_query(started)),
                attempt=started.attempt,
                session_id=None,
            )
            for _ in range(20)
        )
    )

    ids = [outcome.session_id for outcome in outcomes if isinstance(outcome, SignedIn)]
    living = [one for one in ids if one and await fixture.sessions.find(one)]
    assert len(living) == 1
    assert len([one for one in fixture.webex.requests if one.method == "POST"]) == 1


@pytest.mark.check("A06")
async def test_a_second_delivery_with_a_living_session_is_sent_on() -> None:
    fixture = FlowFixture()
    started = fixture.sign_in.begin(read_return_to("/listrooms"))
    callback = read_callback(callback_query(started))
    first = await fixture.sign_in.complete(callback, attempt=started.attempt, session_id=None)
    assert isinstance(first, SignedIn)

    again = await fixture.sign_in.complete(
        callback, attempt=started.attempt, session_id=first.session_id
    )

    assert again == SentOn(read_return_to("/listrooms"))


@pytest.mark.parametrize(("after", "is_sent_on"), [(0, True), (1, False)])
async def test_a_second_delivery_is_recognised_until_ten_minutes_after_the_attempt(
    after: int, *, is_sent_on: bool
) -> None:
    fixture = FlowFixture()
    started = fixture.sign_in.begin(HOME)
    callback = read_callback(callback_query(started))
    first = await fixture.sign_in.complete(callback, attempt=started.attempt, session_id=None)
    assert isinstance(first, SignedIn)
    assert first.session_id
    fixture.now += ATTEMPT_SECONDS + MARK_KEPT_SECONDS - 1 + after
    found = await fixture.ledger.find_session(digest(first.session_id))
    assert found
    await fixture.ledger.touch_session(found, fixture.now)

    again = await fixture.sign_in.complete(
        callback, attempt=started.attempt, session_id=first.session_id
    )

    assert isinstance(again, SentOn) is is_sent_on


async def second_delivery(fixture: FlowFixture, *, after_seconds: int) -> Outcome:
    """Sign in; let the browser, which never got its session, deliver the callback once more."""
    started = fixture.sign_in.begin(HOME)
    callback = read_callback(callback_query(started))
    await fixture.sign_in.complete(callback, attempt=started.attempt, session_id=None)
    fixture.now += after_seconds
    return await fixture.sign_in.complete(callback, attempt=started.attempt, session_id=None)


@pytest.mark.check("D04")
async def test_a_session_that_gets_a_new_id_ends_when_it_would_have_ended() -> None:
    fixture = FlowFixture()
    renewed = await second_delivery(fixture, after_seconds=300)
    assert isinstance(renewed, SignedIn)
    assert renewed.session_id

    while fixture.now < NOW + ABSOLUTE_SECONDS - 1:
        fixture.now = min(fixture.now + IDLE_SECONDS - 1, NOW + ABSOLUTE_SECONDS - 1)
        assert await fixture.sessions.find(renewed.session_id)
    fixture.now += 1

    assert await fixture.sessions.find(renewed.session_id) is None


@pytest.mark.check("D04")
@pytest.mark.parametrize(("seconds", "outcome"), [(299, SignedIn), (300, NotSignedIn)])
async def test_a_session_past_its_end_gets_no_new_id(seconds: int, outcome: type[Outcome]) -> None:
    fixture = FlowFixture(absolute_seconds=300)

    assert isinstance(await second_delivery(fixture, after_seconds=seconds), outcome)
