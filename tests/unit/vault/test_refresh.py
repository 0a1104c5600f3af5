"""Two processes and one grant: one refreshes, the other waits, adopts, or takes over."""

import asyncio
import logging
from asyncio import Task
from contextlib import suppress

import pytest
from unit.vault.fakes import (
    ALICE,
    FIRST,
    INVALID_GRANT,
    NOW,
    QUICK,
    SECOND,
    THIRD,
    FakeEndpoint,
    VaultFixture,
    issued,
    signed_in,
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
from webex_oauth.vault.plan import Timing

pytestmark = [pytest.mark.anyio, pytest.mark.check("B09")]

DOWN = StoreUnavailable("down")
PATIENT = Timing(first_poll_seconds=0.001, last_poll_seconds=0.005)


@pytest.mark.check("B07")
async def test_a_refresh_is_written_down_before_it_is_sent() -> None:
    fixture = await signed_in(issued(2))
    before = []
    fixture.endpoint.before_answer = lambda: before.extend(fixture.rows.grants)

    await fixture.vault.access_token(ALICE)

    (claimed,) = before
    assert claimed.lease is not None
    assert claimed.lease.until == NOW + QUICK.lease_seconds
    assert claimed.trouble.presented_count == 1


async def asked_in_both(fixture: VaultFixture) -> tuple[Task[Secret], Task[Secret]]:
    """Ask in a process whose refresh is on its way, and in another that finds its lease."""
    other = fixture.another_vault(timing=PATIENT)
    one = await asked_and_held_up(fixture)
    two = asyncio.create_task(other.access_token(ALICE))
    await asyncio.sleep(0.01)
    return one, two


async def asked_and_held_up(fixture: VaultFixture) -> Task[Secret]:
    """Ask, and hold back the answer."""
    fixture.endpoint.gate.clear()
    asking = asyncio.create_task(fixture.vault.access_token(ALICE))
    await fixture.endpoint.reached()
    return asking


async def test_a_second_process_waits_and_gets_the_same_token() -> None:
    fixture = await signed_in(issued(2))
    one, two = await asked_in_both(fixture)

    fixture.endpoint.gate.set()

    assert [await one, await two] == [SECOND, SECOND]
    assert len(fixture.endpoint.requests) == 1


async def test_a_second_process_serves_what_still_lives_instead_of_waiting() -> None:
    fixture = await signed_in(lives_for=30)
    await fixture.claim_as_another()

    assert await fixture.vault.access_token(ALICE) == FIRST


async def test_a_process_that_waits_is_told_what_failed_elsewhere() -> None:
    fixture = await signed_in(HttpResponse(503, {"retry-after": "9"}))
    one, two = await asked_in_both(fixture)

    fixture.endpoint.gate.set()

    outcomes = await asyncio.gather(one, two, return_exceptions=True)
    assert isinstance(outcomes[1], RefreshPostponed)
    assert outcomes[1].retry_after_seconds == 10
    assert len(fixture.endpoint.requests) == 1


async def test_a_claim_that_another_process_won_is_no_request() -> None:
    fixture = await signed_in()
    newer = tokens("access-2", lives_for=1_000)
    fixture.rows.before["claim"] = [lambda: fixture.admit(newer)]

    assert await fixture.vault.access_token(ALICE) == SECOND
    assert fixture.endpoint.requests == []


async def test_a_row_that_was_only_marked_meanwhile_is_claimed_at_the_second_try() -> None:
    fixture = await signed_in(issued(2))
    fixture.rows.before["claim"] = [lambda: fixture.change(is_access_refused=True)]

    assert await fixture.vault.access_token(ALICE) == SECOND
    assert len(fixture.endpoint.requests) == 1


@pytest.mark.check("B22")
async def test_a_claim_overtaken_by_a_refresh_that_was_told_to_wait_does_not_ask() -> None:
    fixture = await signed_in()
    throttled = FakeEndpoint.opened(HttpResponse(429, {"retry-after": "9"}))
    rival = fixture.another_vault(endpoint=throttled)

    async def overtake() -> None:
        with suppress(UpstreamError):
            await rival.access_token(ALICE)

    fixture.rows.before["claim"] = [overtake]

    with pytest.raises(RateLimited) as told:
        await fixture.vault.access_token(ALICE)

    assert told.value.retry_after_seconds == 10
    assert (len(throttled.requests), fixture.endpoint.requests) == (1, [])


async def test_a_stale_holder_does_not_overwrite_and_adopts() -> None:
    fixture = await signed_in(issued(2))
    paused = await asked_and_held_up(fixture)
    fixture.clock.now += 31
    other = fixture.another_vault(endpoint=FakeEndpoint.opened(issued(3)))
    assert await other.access_token(ALICE) == THIRD

    fixture.endpoint.gate.set()

    assert await paused == THIRD
    assert (await fixture.stored()).tokens.access_token == THIRD


async def test_a_holder_that_stood_still_before_it_asked_does_not_ask() -> None:
    fixture = await signed_in(issued(2))
    fixture.rows.after["claim"] = [lambda: setattr(fixture.clock, "now", NOW + 7)]

    assert await fixture.vault.access_token(ALICE) == SECOND

    assert fixture.rows.calls.count("claim") == 2
    assert len(fixture.endpoint.requests) == 1
    claims = [one.trouble.presented_count for one in fixture.rows.grants if one.lease]
    assert claims == [1, 1]


async def test_a_refusal_that_a_stale_holder_caused_gives_way_to_its_tokens() -> None:
    fixture = await signed_in(issued(2, refresh_token="refresh-2"), rotates=True)
    paused = await asked_and_held_up(fixture)
    fixture.clock.now += 31
    other = fixture.another_vault(endpoint=FakeEndpoint.opened(INVALID_GRANT))
    with pytest.raises(ReauthRequired):
        await other.access_token(ALICE)

    fixture.endpoint.gate.set()

    assert await paused == SECOND
    stored = await fixture.stored()
    assert (stored.tokens.access_token, stored.reauth_reason) == (SECOND, None)


async def test_a_lease_that_this_process_could_not_give_back_does_not_stop_it() -> None:
    fixture = await signed_in(HttpResponse(503), issued(2), lives_for=30)
    fixture.rows.before["release"] = [DOWN]
    await fixture.vault.access_token(ALICE)

    assert await fixture.vault.access_token(ALICE) == FIRST, "it cools down, as it could not write"
    assert await fixture.trouble() == (0, 1, 1)
    fixture.clock.now += 1
    assert await fixture.vault.access_token(ALICE) == SECOND


async def test_a_claim_whose_answer_was_lost_counts_for_nothing() -> None:
    fixture = await signed_in(issued(2), rotates=True)
    fixture.rows.after["claim"] = [DOWN, DOWN]

    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await fixture.vault.access_token(ALICE)

    assert await fixture.vault.access_token(ALICE) == SECOND
    assert fixture.endpoint.presented() == ["refresh-1"]


# A token near its end is renewed in the background, before a caller has to wait

LIFE_SECONDS = 100_000


async def nearly_over(*script: object) -> VaultFixture:
    """Sign alice in with a token of whose life 96 percent are over."""
    left = LIFE_SECONDS * 4 // 100
    issued_at = NOW + left - LIFE_SECONDS
    return await signed_in(*script, lives_for=left, issued_at=issued_at)  # type: ignore[arg-type]  # lines of a script


@pytest.mark.check("B06")
async def test_the_old_token_is_served_while_the_next_one_comes() -> None:
    fixture = await nearly_over(issued(2))
    fixture.endpoint.gate.clear()

    assert await fixture.vault.access_token(ALICE) == FIRST
    await fixture.endpoint.reached()
    assert await fixture.vault.access_token(ALICE) == FIRST
    fixture.endpoint.gate.set()
    await fixture.vault.close()

    assert (await fixture.stored()).tokens.access_token == SECOND
    assert len(fixture.endpoint.requests) == 1


@pytest.mark.check("B06")
async def test_a_failure_in_the_background_disturbs_no_caller_and_cools_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fixture = await nearly_over(HttpResponse(500))

    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            assert await fixture.vault.access_token(ALICE) == FIRST
            await asyncio.sleep(0.01)

    assert len(fixture.endpoint.requests) == 1
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


@pytest.mark.check("B06")
async def test_a_refusal_in_the_background_is_noticed_at_the_end_of_the_token() -> None:
    fixture = await nearly_over(INVALID_GRANT)
    await fixture.vault.access_token(ALICE)
    await fixture.endpoint.reached()
    assert await fixture.vault.access_token(ALICE) == FIRST
    fixture.clock.now += LIFE_SECONDS

    with pytest.raises(ReauthRequired) as needed:
        await fixture.vault.access_token(ALICE)

    assert needed.value.reason == "refresh_token_refused"


@pytest.mark.check("B06")
async def test_the_age_of_a_token_counts_from_its_request() -> None:
    fixture = await signed_in(issued(2))
    fixture.clock.now += 5

    await fixture.vault.access_token(ALICE)

    assert (await fixture.stored()).issued_at == NOW + 5


@pytest.mark.check("B06", "H13")
async def test_a_token_that_a_wrong_clock_dated_is_renewed_when_the_clock_is_right_again() -> None:
    wrong = NOW + 400 * 86_400
    fixture = await signed_in(issued(2), lives_for=LIFE_SECONDS, issued_at=wrong)

    assert await fixture.vault.access_token(ALICE) == FIRST
    await fixture.vault.close()

    stored = await fixture.stored()
    assert (stored.tokens.access_token, stored.issued_at) == (SECOND, NOW)
