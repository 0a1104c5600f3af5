"""Tokens that their server no longer accepts.

A refused refresh token is not presented again, and nothing is deleted. A refused access token is
handed out no more, by any process on the store.
"""

import asyncio
from pathlib import Path

import pytest
from unit.vault.fakes import (
    ALICE,
    FIRST,
    INVALID_GRANT,
    SECOND,
    THIRD,
    Answer,
    Step,
    VaultFixture,
    issued,
    signed_in,
    tokens,
)
from waiting import until_true

from webex_oauth.errors import (
    AnswerLost,
    DeadlineExceeded,
    InvalidClient,
    RateLimited,
    ReauthReason,
    ReauthRequired,
    RefreshPostponed,
    RequestNotSent,
    StoreUnavailable,
    WebexOAuthError,
)
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.secret import Secret
from webex_oauth.vault.vault import Kept

pytestmark = [pytest.mark.anyio, pytest.mark.check("B11")]

LIVES = 14 * 86_400
DOWN = StoreUnavailable("down")


# Refresh tokens


async def test_a_refused_grant_serves_its_access_token_to_the_end() -> None:
    fixture = await signed_in(INVALID_GRANT, lives_for=30)

    assert await fixture.vault.access_token(ALICE) == FIRST
    assert await fixture.vault.access_token(ALICE) == FIRST
    with pytest.raises(ReauthRequired) as needed:
        await fixture.vault.refreshed(ALICE, FIRST)

    assert needed.value.reason == ReauthReason.REFRESH_TOKEN_REFUSED
    assert len(fixture.endpoint.requests) == 1


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_refusal_that_cannot_be_written_is_noted_and_written_later(failures: int) -> None:
    fixture = await signed_in(INVALID_GRANT)
    fixture.rows.before["reason"] = [DOWN] * failures
    with pytest.raises(StoreUnavailable):
        await fixture.vault.access_token(ALICE)

    for _ in range(3):
        with pytest.raises(ReauthRequired, match="refresh_token_refused"):
            await fixture.vault.access_token(ALICE)

    assert fixture.endpoint.presented() == ["refresh-1"]
    stored = await fixture.stored()
    assert stored.reauth_reason == ReauthReason.REFRESH_TOKEN_REFUSED
    assert stored.tokens == tokens()


async def test_a_refusal_that_cannot_look_for_newer_tokens_is_noted() -> None:
    fixture = await signed_in(INVALID_GRANT)
    fixture.endpoint.before_answer = lambda: fixture.rows.before.update(read=[DOWN])
    with pytest.raises(StoreUnavailable):
        await fixture.vault.access_token(ALICE)

    with pytest.raises(ReauthRequired):
        await fixture.vault.access_token(ALICE)

    assert fixture.endpoint.presented() == ["refresh-1"]


async def test_a_noted_refusal_ends_with_a_new_sign_in() -> None:
    fixture = await signed_in(INVALID_GRANT, issued(4))
    fixture.rows.before["reason"] = [DOWN]
    with pytest.raises(StoreUnavailable):
        await fixture.vault.access_token(ALICE)
    await fixture.admit(tokens("access-3", refresh="refresh-3"))

    assert await fixture.vault.access_token(ALICE) == Secret("access-4")


async def test_a_refusal_of_a_rotating_server_after_a_lost_answer_says_so() -> None:
    fixture = await signed_in(INVALID_GRANT, rotates=True)
    await fixture.claim_as_another(lease_seconds=30)
    fixture.clock.now += 30

    with pytest.raises(ReauthRequired) as needed:
        await fixture.vault.access_token(ALICE)

    assert needed.value.reason == ReauthReason.REFRESH_AMBIGUOUS


async def test_a_refusal_for_a_grant_that_was_ended_says_so() -> None:
    fixture = await signed_in(INVALID_GRANT, lives_for=30)
    fixture.endpoint.before_answer = lambda: fixture.rows.drop(ALICE)

    with pytest.raises(ReauthRequired) as needed:
        await fixture.vault.access_token(ALICE)

    assert needed.value.reason == ReauthReason.GRANT_ENDED


# Access tokens


async def refused(fixture: VaultFixture, error: type[WebexOAuthError]) -> None:
    """Let the API refuse the token that lives, and the refresh bring nothing."""
    assert await fixture.vault.access_token(ALICE) == FIRST
    with pytest.raises(error):
        await fixture.vault.refreshed(ALICE, FIRST)


async def test_a_token_whose_refresh_is_refused_too_needs_the_person_everywhere() -> None:
    fixture = await signed_in(INVALID_GRANT, lives_for=LIVES)

    await refused(fixture, ReauthRequired)

    for vault in (fixture.vault, fixture.another_vault()):
        with pytest.raises(ReauthRequired) as needed:
            await vault.access_token(ALICE, min_ttl_seconds=0)
        assert needed.value.reason == ReauthReason.REFRESH_TOKEN_REFUSED
    assert len(fixture.endpoint.requests) == 1

    fixture.clock.now += 60 * 86_400
    assert await fixture.another_vault().keep(ALICE) is Kept.NOT_DUE

    await fixture.admit(tokens("access-2", lives_for=LIVES + 60 * 86_400))
    assert await fixture.vault.access_token(ALICE) == SECOND


FAILURES: list[tuple[Answer, type[WebexOAuthError]]] = [
    (RequestNotSent("no connection"), RefreshPostponed),
    (AnswerLost("reset"), RefreshPostponed),
    (DeadlineExceeded("10 s"), RefreshPostponed),
    (HttpResponse(503), RefreshPostponed),
    (HttpResponse(429, {"retry-after": "9"}), RateLimited),
]


@pytest.mark.parametrize(("line", "error"), FAILURES, ids=repr)
async def test_a_token_whose_refresh_failed_for_the_moment_is_not_served_meanwhile(
    line: Answer, error: type[WebexOAuthError]
) -> None:
    fixture = await signed_in(line, issued(2), lives_for=LIVES)

    await refused(fixture, WebexOAuthError)

    other = fixture.another_vault()
    for vault in (fixture.vault, other):
        with pytest.raises(error):
            await vault.access_token(ALICE)
    fixture.clock.now += 400
    assert await other.access_token(ALICE) == SECOND


async def test_a_client_that_is_refused_does_not_bring_the_token_back() -> None:
    invalid = HttpResponse(401, {"content-type": "application/json"}, b'{"error":"invalid_client"}')
    fixture = await signed_in(invalid, lives_for=LIVES)

    await refused(fixture, InvalidClient)

    with pytest.raises(RefreshPostponed):
        await fixture.another_vault().access_token(ALICE)


async def test_a_token_is_not_served_while_its_refresh_is_on_its_way() -> None:
    fixture = await signed_in(issued(2), lives_for=LIVES)
    fixture.endpoint.gate.clear()
    refreshing = asyncio.create_task(fixture.vault.refreshed(ALICE, FIRST))
    await fixture.endpoint.reached()

    with pytest.raises(RefreshPostponed):
        await fixture.another_vault().access_token(ALICE)

    fixture.endpoint.gate.set()
    assert await refreshing == SECOND


async def test_a_refresh_that_began_before_the_refusal_does_not_bring_the_token_back() -> None:
    fixture = await signed_in(INVALID_GRANT, lives_for=30)
    fixture.endpoint.gate.clear()
    asking = asyncio.create_task(fixture.vault.access_token(ALICE))
    await fixture.endpoint.reached()
    other = asyncio.create_task(fixture.another_vault().refreshed(ALICE, FIRST))

    async def is_marked() -> bool:
        return (await fixture.stored()).is_access_refused

    await until_true(is_marked)

    fixture.endpoint.gate.set()

    for task in (asking, other):
        with pytest.raises(ReauthRequired):
            await task
    with pytest.raises(ReauthRequired):
        await fixture.another_vault().access_token(ALICE, min_ttl_seconds=0)


async def test_a_refused_token_that_cannot_be_marked_is_noted_and_marked_later() -> None:
    fixture = await signed_in(INVALID_GRANT, lives_for=LIVES)
    fixture.rows.before["refuse"] = [DOWN, DOWN]

    await refused(fixture, StoreUnavailable)
    with pytest.raises(StoreUnavailable):
        await fixture.vault.access_token(ALICE)
    assert not (await fixture.stored()).is_access_refused

    with pytest.raises(ReauthRequired):
        await fixture.vault.access_token(ALICE)
    assert (await fixture.stored()).is_access_refused


async def test_a_server_that_issues_the_refused_token_again_is_asked_once() -> None:
    fixture = await signed_in(issued(1), issued(3), lives_for=LIVES)

    with pytest.raises(ReauthRequired) as needed:
        await fixture.vault.refreshed(ALICE, FIRST)

    assert needed.value.reason == ReauthReason.ACCESS_TOKEN_REFUSED
    assert len(fixture.endpoint.requests) == 1
    assert await fixture.another_vault().access_token(ALICE) == THIRD


async def test_a_rescued_token_that_is_refused_is_not_served(tmp_path: Path) -> None:
    fixture = await signed_in(issued(2), folder=tmp_path)
    fixture.rows.before["tokens"] = [DOWN]
    assert await fixture.vault.access_token(ALICE) == SECOND
    before = await fixture.entry()

    for use in (fixture.vault.refreshed(ALICE, SECOND), fixture.vault.access_token(ALICE)):
        with pytest.raises(RefreshPostponed):
            await use

    assert await fixture.entry() == before


async def test_a_refusal_of_an_earlier_token_changes_nothing() -> None:
    fixture = await signed_in(issued(2))
    assert await fixture.vault.access_token(ALICE) == SECOND
    before = await fixture.entry()

    assert await fixture.vault.refreshed(ALICE, FIRST) == SECOND

    assert await fixture.entry() == before


async def test_a_mark_is_written_once_and_touches_nothing_else() -> None:
    fixture = await signed_in(lives_for=LIVES)
    await fixture.claim_as_another()
    before = await fixture.stored()
    await fixture.vault.refuse(ALICE, FIRST)
    marked = await fixture.entry()

    await fixture.another_vault().refuse(ALICE, FIRST)

    assert await fixture.entry() == marked
    assert await fixture.change(is_access_refused=False) == before


async def overtaken_refusal(fixture: VaultFixture, overtaking: Step) -> None:
    """Let something happen between what the refusal read and what it writes."""
    fixture.rows.before["refuse"] = [overtaking]
    await fixture.vault.refuse(ALICE, FIRST)


async def test_a_mark_is_written_into_a_row_that_was_written_meanwhile() -> None:
    fixture = await signed_in(lives_for=LIVES)

    await overtaken_refusal(fixture, fixture.claim_as_another)

    stored = await fixture.stored()
    assert stored.is_access_refused
    assert stored.lease is not None


async def test_a_mark_does_not_touch_tokens_that_came_meanwhile() -> None:
    fixture = await signed_in(lives_for=LIVES)

    await overtaken_refusal(fixture, lambda: fixture.admit(tokens("access-2", lives_for=LIVES)))

    assert not (await fixture.stored()).is_access_refused
    assert await fixture.vault.access_token(ALICE) == SECOND


async def test_a_refusal_of_a_grant_that_ended_meanwhile_is_over() -> None:
    fixture = await signed_in(lives_for=LIVES)

    with pytest.raises(ReauthRequired, match="ended"):
        await overtaken_refusal(fixture, fixture.end)

    assert await fixture.ledger.find_grant(ALICE) is None
