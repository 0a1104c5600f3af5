"""Grants that nobody uses are kept alive."""

import pytest
from unit.vault.scripted import ALICE, INVALID_GRANT, NOW, House, TroubledStore, issued, tokens

from webex_oauth.errors import RequestNotSent, StoreUnavailable
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.secret import Secret
from webex_oauth.vault.vault import Kept

pytestmark = pytest.mark.anyio

DUE = 700_000


async def due(*script: object, **options: object) -> House:
    """Sign alice in, and let so much time pass that her grant is due."""
    house = House(*script, **options)  # type: ignore[arg-type]  # passed on
    await house.admit(tokens(lives_for=800_000), issued_at=NOW)
    house.clock.now += DUE
    return house


async def test_a_grant_that_is_due_is_renewed_although_its_token_lives() -> None:
    house = await due(issued(2))

    assert await house.vault.keep(ALICE) is Kept.RENEWED

    assert (await house.held()).tokens.access_token == Secret("access-2")
    assert (await house.row()).keep_at > house.clock.now  # type: ignore[operator]  # it is one


async def test_a_grant_that_is_not_due_is_left_alone() -> None:
    house = House()
    await house.admit(tokens(lives_for=800_000), issued_at=NOW)

    assert await house.vault.keep(ALICE) is Kept.NOT_DUE
    assert house.transport.requests == []


async def test_a_grant_is_renewed_once() -> None:
    house = await due(issued(2))

    assert await house.vault.keep(ALICE) is Kept.RENEWED
    assert await house.vault.keep(ALICE) is Kept.NOT_DUE


async def test_a_grant_that_is_gone_is_not_due() -> None:
    assert await House().vault.keep(ALICE) is Kept.NOT_DUE


async def test_a_grant_that_is_ended_meanwhile_is_not_due() -> None:
    house = await due(issued(2))
    house.transport.before_answer = lambda: house.store._grants.pop(ALICE)

    assert await house.vault.keep(ALICE) is Kept.NOT_DUE


@pytest.mark.parametrize(
    "line", [HttpResponse(429), HttpResponse(503), RequestNotSent("no connection")]
)
async def test_a_failure_postpones(line: HttpResponse | Exception) -> None:
    house = await due(line)

    assert await house.vault.keep(ALICE) is Kept.POSTPONED
    assert await house.vault.keep(ALICE) is Kept.POSTPONED

    assert len(house.transport.requests) == 1
    assert await house.store.due_grants(now=house.clock.now, limit=5) == []


async def test_a_grant_that_another_process_refreshes_is_postponed() -> None:
    house = await due()
    await house.claim_as_another()

    assert await house.vault.keep(ALICE) is Kept.POSTPONED


async def test_a_refused_grant_needs_the_person_and_is_not_due_again() -> None:
    house = await due(INVALID_GRANT)

    assert await house.vault.keep(ALICE) is Kept.NEEDS_PERSON
    assert await house.vault.keep(ALICE) is Kept.NOT_DUE

    assert (await house.row()).keep_at is None
    assert len(house.transport.requests) == 1


@pytest.mark.check("B13")
async def test_a_refresh_token_that_is_over_needs_the_person_once() -> None:
    house = await due(INVALID_GRANT)
    house.clock.now = NOW + 1_000_000

    assert await house.vault.keep(ALICE) is Kept.NEEDS_PERSON
    assert await house.vault.keep(ALICE) is Kept.NOT_DUE

    assert (await house.held()).reauth_reason == "refresh_token_expired"
    assert len(house.transport.requests) == 1


@pytest.mark.check("B06")
async def test_a_refresh_token_that_is_over_by_a_wrong_clock_is_renewed() -> None:
    house = await due(issued(2))
    house.clock.now = NOW + 400 * 86_400

    assert await house.vault.keep(ALICE) is Kept.RENEWED

    assert (await house.held()).reauth_reason is None
    assert (await house.row()).keep_at is not None


@pytest.mark.check("B10")
async def test_a_grant_whose_answers_were_lost_needs_the_person() -> None:
    house = await due(rotates=True)
    for _ in range(2):
        await house.claim_as_another(lease_seconds=1)
        house.clock.now += 1

    assert await house.vault.keep(ALICE) is Kept.NEEDS_PERSON

    assert (await house.held()).reauth_reason == "refresh_ambiguous"
    assert house.transport.requests == []


async def test_a_store_that_is_down_is_told() -> None:
    store = TroubledStore()
    house = await due(store=store)
    store.before["find"] = [StoreUnavailable("down")]

    with pytest.raises(StoreUnavailable):
        await house.vault.keep(ALICE)


async def test_a_closed_vault_postpones() -> None:
    house = await due()
    await house.vault.close()

    assert await house.vault.keep(ALICE) is Kept.POSTPONED
