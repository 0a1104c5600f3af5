"""The last session of a person to end takes the grant with it, by idleness as by a sign-out."""

import pytest
from ledgers import sessions
from unit.flows.fixtures import ABSOLUTE_SECONDS, IDLE_SECONDS, FlowFixture
from unit.flows.signing_in import sign_in

from webex_oauth.flows.housekeeping import SESSION_STEADY_SECONDS, SWEEP_EVERY_SECONDS, Sweeper
from webex_oauth.flows.sessions import LiveSession
from webex_oauth.vault.records import digest
from webex_oauth.vault.vault import Kept

pytestmark = [pytest.mark.anyio, pytest.mark.check("D05")]

DAY = 86_400
LONGEST_SECONDS = IDLE_SECONDS + 2 * SESSION_STEADY_SECONDS + 2 * int(SWEEP_EVERY_SECONDS)


class TimeIsUp(Exception):
    """End a test."""


async def let_pass(fixture: FlowFixture, seconds: int, *, used: LiveSession | None = None) -> None:
    """Run the sweeper while time passes, in which one session may be used all along."""
    steady, ends_at = 0.0, fixture.now + seconds

    async def sleep(pause_seconds: float) -> None:
        nonlocal steady
        if fixture.now >= ends_at:
            raise TimeIsUp
        steady += pause_seconds
        fixture.now += int(pause_seconds)
        if used is not None:
            found = await fixture.ledger.find_session(digest(used.session_id))
            if found is not None:
                await fixture.ledger.touch_session(found, fixture.now)

    sweeper = Sweeper(fixture.context, fixture.sessions, sleep=sleep, monotonic=lambda: steady)
    with pytest.raises(TimeIsUp):
        await sweeper.run()
    await fixture.revocations.deliver_handed_over()


async def test_a_session_that_idles_out_ends_its_grant_and_revokes() -> None:
    fixture = FlowFixture()
    session = await sign_in(fixture)

    await let_pass(fixture, LONGEST_SECONDS)

    assert not await fixture.ledger.has_grant(session.grant_key)
    assert len(fixture.revoked()) == 2
    assert await fixture.queued() == []
    assert await fixture.vault.keep(session.grant_key) is Kept.NOT_DUE


async def test_a_session_that_is_used_to_its_end_ends_its_grant_too() -> None:
    fixture = FlowFixture()
    session = await sign_in(fixture)

    await let_pass(fixture, ABSOLUTE_SECONDS - 2 * IDLE_SECONDS, used=session)
    assert await fixture.ledger.has_grant(session.grant_key)
    await let_pass(fixture, 2 * IDLE_SECONDS + LONGEST_SECONDS, used=session)

    assert not await fixture.ledger.has_grant(session.grant_key)


async def test_a_grant_stays_while_its_person_is_signed_in_elsewhere() -> None:
    fixture = FlowFixture()
    await sign_in(fixture)
    used = await sign_in(fixture)
    revoked_before = fixture.revoked()

    await let_pass(fixture, LONGEST_SECONDS, used=used)

    assert len(await sessions(fixture.ledger)) == 1
    assert await fixture.ledger.has_grant(used.grant_key)
    assert fixture.revoked() == revoked_before


async def test_a_grant_that_is_kept_outlives_its_sessions() -> None:
    fixture = FlowFixture(keeps_grants=True)
    session = await sign_in(fixture)

    await let_pass(fixture, LONGEST_SECONDS)

    assert await fixture.ledger.has_grant(session.grant_key)
    assert fixture.revoked() == []


async def test_no_grant_ends_by_a_clock_that_stepped_a_moment_ago() -> None:
    fixture = FlowFixture()
    session = await sign_in(fixture)
    fixture.now += 400 * DAY

    await let_pass(fixture, SESSION_STEADY_SECONDS - int(SWEEP_EVERY_SECONDS))

    assert await fixture.ledger.has_grant(session.grant_key)
