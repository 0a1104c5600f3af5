"""An access token that the API refused is handed out no more, by any process on the store."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from unit.vault.scripted import (
    ALICE,
    INVALID_GRANT,
    Answer,
    House,
    TroubledStore,
    begun,
    issued,
    tokens,
)

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
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.records import SealedRecord
from webex_oauth.vault.vault import Kept

pytestmark = [pytest.mark.anyio, pytest.mark.check("B11")]

FIRST, SECOND, THIRD = (Secret(f"access-{number}") for number in (1, 2, 3))
LIVES = 14 * 86_400
DOWN = StoreUnavailable("down")


async def refused(house: House, error: type[WebexOAuthError]) -> None:
    """Let the API refuse the token that lives, and the refresh bring nothing."""
    assert await house.vault.access_token(ALICE) == FIRST
    with pytest.raises(error):
        await house.vault.refreshed(ALICE, FIRST)


async def test_a_token_whose_refresh_is_refused_too_needs_the_person_everywhere() -> None:
    house = House(INVALID_GRANT)
    await house.admit(tokens(lives_for=LIVES))

    await refused(house, ReauthRequired)

    for vault in (house.vault, house.another_vault()):
        with pytest.raises(ReauthRequired) as needed:
            await vault.access_token(ALICE, min_ttl_seconds=0)
        assert needed.value.reason == ReauthReason.REFRESH_TOKEN_REFUSED
    assert len(house.transport.requests) == 1


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
    house = House(line, issued(2))
    await house.admit(tokens(lives_for=LIVES))

    await refused(house, WebexOAuthError)

    other = house.another_vault()
    for vault in (house.vault, other):
        with pytest.raises(error):
            await vault.access_token(ALICE)
    house.clock.now += 400
    assert await other.access_token(ALICE) == SECOND


async def test_a_client_that_is_refused_does_not_bring_the_token_back() -> None:
    house = House(
        HttpResponse(401, {"content-type": "application/json"}, b'{"error":"invalid_client"}')
    )
    await house.admit(tokens(lives_for=LIVES))

    await refused(house, InvalidClient)

    with pytest.raises(RefreshPostponed):
        await house.another_vault().access_token(ALICE)


async def test_a_token_is_not_served_while_its_refresh_is_on_its_way() -> None:
    house = House(issued(2))
    await house.admit(tokens(lives_for=LIVES))
    house.transport.gate.clear()
    refreshing = asyncio.create_task(house.vault.refreshed(ALICE, FIRST))
    await begun(house.transport)

    with pytest.raises(RefreshPostponed):
        await house.another_vault().access_token(ALICE)

    house.transport.gate.set()
    assert await refreshing == SECOND


async def test_a_refresh_that_began_before_the_refusal_does_not_bring_the_token_back() -> None:
    house = House(INVALID_GRANT)
    await house.admit(tokens(lives_for=30))
    house.transport.gate.clear()
    asking = asyncio.create_task(house.vault.access_token(ALICE))
    await begun(house.transport)
    other = asyncio.create_task(house.another_vault().refreshed(ALICE, FIRST))
    async with asyncio.timeout(5):
        while not (await house.held()).is_access_refused:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.001)

    house.transport.gate.set()

    for task in (asking, other):
        with pytest.raises(ReauthRequired):
            await task
    with pytest.raises(ReauthRequired):
        await house.another_vault().access_token(ALICE, min_ttl_seconds=0)


class UnwillingStore(MemoryStore):
    """Refuse to seal anything anew."""

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:  # noqa: ARG002
        """Fail."""
        raise StoreUnavailable("down")


async def test_a_refusal_that_cannot_be_written_is_remembered() -> None:
    house = House(store=UnwillingStore())
    await house.admit(tokens(lives_for=LIVES))

    await refused(house, StoreUnavailable)

    with pytest.raises(StoreUnavailable):
        await house.vault.access_token(ALICE)


async def test_a_remembered_refusal_is_written_later() -> None:
    store = UnwillingStore()
    house = House(INVALID_GRANT, store=store)
    await house.admit(tokens(lives_for=LIVES))
    await refused(house, StoreUnavailable)
    store.reseal = super(UnwillingStore, store).reseal  # type: ignore[method-assign]

    with pytest.raises(ReauthRequired):
        await house.vault.access_token(ALICE)

    assert (await house.held()).is_access_refused


async def test_a_server_that_gives_the_refused_token_again_is_asked_once() -> None:
    house = House(issued(1), issued(3))
    await house.admit(tokens(lives_for=LIVES))

    with pytest.raises(ReauthRequired) as needed:
        await house.vault.refreshed(ALICE, FIRST)

    assert needed.value.reason == ReauthReason.ACCESS_TOKEN_REFUSED
    assert len(house.transport.requests) == 1
    assert await house.another_vault().access_token(ALICE) == THIRD


async def test_a_rescued_token_that_is_refused_is_not_served(tmp_path: Path) -> None:
    store = TroubledStore()
    house = House(issued(2), store=store, folder=tmp_path)
    await house.admit(tokens())
    store.before["replace"] = [DOWN]
    assert await house.vault.access_token(ALICE) == SECOND
    row = await house.row()

    with pytest.raises(RefreshPostponed):
        await house.vault.refreshed(ALICE, SECOND)

    with pytest.raises(RefreshPostponed):
        await house.vault.access_token(ALICE)
    assert await house.row() == row


async def test_a_refusal_of_an_earlier_token_changes_nothing() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    assert await house.vault.access_token(ALICE) == SECOND
    row = await house.row()

    assert await house.vault.refreshed(ALICE, FIRST) == SECOND

    assert await house.row() == row


async def test_a_lease_and_what_is_left_behind_stay_as_they_are() -> None:
    house = House()
    await house.admit(tokens(lives_for=LIVES))
    await house.claim_as_another()
    before = await house.row()

    await house.vault.refuse(ALICE, FIRST)

    after = await house.row()
    assert after.sealed != before.sealed
    assert replace(after, sealed=before.sealed) == before


async def test_signing_in_again_gives_a_token_that_is_served() -> None:
    house = House(INVALID_GRANT)
    await house.admit(tokens(lives_for=LIVES))
    await refused(house, ReauthRequired)

    await house.admit(tokens("access-2", lives_for=LIVES))

    assert await house.vault.access_token(ALICE) == SECOND


async def test_the_keeper_leaves_it_to_the_person() -> None:
    house = House(INVALID_GRANT)
    await house.admit(tokens(lives_for=LIVES))
    await refused(house, ReauthRequired)
    house.clock.now += 60 * 86_400

    assert await house.another_vault().keep(ALICE) is Kept.NOT_DUE


async def test_a_fresh_token_that_is_refused_is_not_served_either() -> None:
    house = House(issued(2), issued(3))
    await house.admit(tokens())
    assert await house.vault.access_token(ALICE) == SECOND

    await house.vault.refuse(ALICE, SECOND)

    assert await house.another_vault().access_token(ALICE) == THIRD
