"""A refresh token that its server no longer accepts: never presented again, nothing deleted."""

import pytest
from unit.vault.scripted import ALICE, INVALID_GRANT, House, TroubledStore, issued, tokens

from webex_oauth.errors import ReauthReason, ReauthRequired, StoreUnavailable
from webex_oauth.secret import Secret

pytestmark = pytest.mark.anyio

FIRST, SECOND = Secret("access-1"), Secret("access-2")
DOWN = StoreUnavailable("down")


@pytest.mark.check("B11")
async def test_a_refused_grant_serves_its_access_token_to_the_end() -> None:
    house = House(INVALID_GRANT)
    await house.admit(tokens(lives_for=30))

    assert await house.vault.access_token(ALICE) == FIRST
    assert await house.vault.access_token(ALICE) == FIRST
    with pytest.raises(ReauthRequired) as needed:
        await house.vault.refreshed(ALICE, FIRST)

    assert needed.value.reason == ReauthReason.REFRESH_TOKEN_REFUSED
    assert len(house.transport.requests) == 1


@pytest.mark.check("B11")
async def test_a_refusal_that_cannot_be_written_is_remembered() -> None:
    store = TroubledStore()
    house = House(INVALID_GRANT, store=store)
    await house.admit(tokens())
    store.before["replace"] = [DOWN, DOWN]
    with pytest.raises(StoreUnavailable):
        await house.vault.access_token(ALICE)

    for _ in range(3):
        with pytest.raises(ReauthRequired, match="refresh_token_refused"):
            await house.vault.access_token(ALICE)

    assert house.transport.presented() == ["refresh-1"]


@pytest.mark.check("B11")
async def test_a_remembered_refusal_is_written_as_soon_as_that_is_possible() -> None:
    store = TroubledStore()
    house = House(INVALID_GRANT, store=store)
    await house.admit(tokens())
    store.before["replace"] = [DOWN]
    with pytest.raises(StoreUnavailable):
        await house.vault.access_token(ALICE)

    with pytest.raises(ReauthRequired):
        await house.vault.access_token(ALICE)

    held = await house.held()
    assert held.reauth_reason == ReauthReason.REFRESH_TOKEN_REFUSED
    assert held.tokens == tokens()


@pytest.mark.check("B11")
async def test_a_refusal_that_cannot_look_for_newer_tokens_is_remembered() -> None:
    store = TroubledStore()
    house = House(INVALID_GRANT, store=store)
    await house.admit(tokens())
    house.transport.before_answer = lambda: store.before.update(find=[DOWN])
    with pytest.raises(StoreUnavailable):
        await house.vault.access_token(ALICE)

    with pytest.raises(ReauthRequired):
        await house.vault.access_token(ALICE)

    assert house.transport.presented() == ["refresh-1"]


async def test_a_remembered_refusal_ends_with_a_new_sign_in() -> None:
    store = TroubledStore()
    house = House(INVALID_GRANT, issued(4), store=store)
    await house.admit(tokens())
    store.before["replace"] = [DOWN]
    with pytest.raises(StoreUnavailable):
        await house.vault.access_token(ALICE)
    await house.admit(tokens("access-3", refresh="refresh-3"))

    assert await house.vault.access_token(ALICE) == Secret("access-4")


@pytest.mark.check("B11")
async def test_a_refusal_of_a_rotating_server_after_a_lost_answer_says_so() -> None:
    house = House(INVALID_GRANT, rotates=True)
    await house.admit(tokens())
    await house.claim_as_another(lease_seconds=30)
    house.clock.now += 30

    with pytest.raises(ReauthRequired) as needed:
        await house.vault.access_token(ALICE)

    assert needed.value.reason == ReauthReason.REFRESH_AMBIGUOUS


async def test_a_refusal_for_a_grant_that_was_ended_says_so() -> None:
    house = House(INVALID_GRANT)
    await house.admit(tokens(lives_for=30))
    house.transport.before_answer = lambda: house.store._grants.pop(ALICE)

    with pytest.raises(ReauthRequired) as needed:
        await house.vault.access_token(ALICE)

    assert needed.value.reason == ReauthReason.GRANT_ENDED
