"""A token near its end is renewed in the background, before anybody has to wait."""

import asyncio
import logging

import pytest
from unit.vault.scripted import ALICE, INVALID_GRANT, NOW, House, begun, issued, tokens

from webex_oauth.errors import ReauthRequired
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.secret import Secret

pytestmark = [pytest.mark.anyio, pytest.mark.check("B06")]

FIRST, SECOND = Secret("access-1"), Secret("access-2")
LIFE_SECONDS = 100_000


async def nearly_over(*script: object) -> House:
    """Sign alice in with a token of whose life 96 percent are over."""
    house = House(*script)  # type: ignore[arg-type]  # lines of a script
    left = LIFE_SECONDS * 4 // 100
    await house.admit(tokens(lives_for=left), issued_at=NOW + left - LIFE_SECONDS)
    return house


async def test_the_old_token_is_served_while_the_next_one_comes() -> None:
    house = await nearly_over(issued(2))
    house.transport.gate.clear()

    assert await house.vault.access_token(ALICE) == FIRST
    await begun(house.transport)
    assert await house.vault.access_token(ALICE) == FIRST
    house.transport.gate.set()
    await house.vault.close()

    assert (await house.held()).tokens.access_token == SECOND
    assert len(house.transport.requests) == 1


async def test_nobody_renews_what_another_process_renews() -> None:
    house = await nearly_over()
    await house.claim_as_another()

    assert await house.vault.access_token(ALICE) == FIRST
    await house.vault.close()

    assert house.transport.requests == []


async def test_a_failure_in_the_background_is_noticed_by_nobody_and_cools_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = await nearly_over(HttpResponse(500))

    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            assert await house.vault.access_token(ALICE) == FIRST
            await asyncio.sleep(0.01)

    assert len(house.transport.requests) == 1
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_a_refusal_in_the_background_is_noticed_at_the_end_of_the_token() -> None:
    house = await nearly_over(INVALID_GRANT)
    await house.vault.access_token(ALICE)
    await begun(house.transport)
    assert await house.vault.access_token(ALICE) == FIRST
    house.clock.now += LIFE_SECONDS

    with pytest.raises(ReauthRequired) as needed:
        await house.vault.access_token(ALICE)

    assert needed.value.reason == "refresh_token_refused"


async def test_a_fresh_token_is_not_renewed() -> None:
    house = House()
    await house.admit(tokens(lives_for=LIFE_SECONDS * 16 // 100), issued_at=NOW - 84_000)

    assert await house.vault.access_token(ALICE) == FIRST
    await house.vault.close()

    assert house.transport.requests == []


async def test_the_age_of_a_token_counts_from_its_request() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    house.clock.now += 5

    await house.vault.access_token(ALICE)

    assert (await house.held()).issued_at == NOW + 5


@pytest.mark.check("H13")
async def test_a_token_that_a_wrong_clock_dated_is_renewed_when_the_clock_is_right_again() -> None:
    house = House(issued(2))
    house.clock.now = NOW + 400 * 86_400
    await house.admit(tokens(lives_for=LIFE_SECONDS), issued_at=house.clock.now)
    house.clock.now = NOW

    assert await house.vault.access_token(ALICE) == FIRST
    await house.vault.close()

    assert (await house.held()).tokens.access_token == SECOND
    assert (await house.held()).issued_at == NOW
