"""What is remembered of leases that could not be given back."""

import os
from pathlib import Path

import pytest
from unit.vault.scripted import (
    ALICE,
    NO_FOLDER,
    QUICK,
    SIGN_IN_URL,
    House,
    TroubledStore,
    issued,
    tokens,
)

from webex_oauth.errors import StoreUnavailable
from webex_oauth.secret import Secret
from webex_oauth.vault.context import VaultContext
from webex_oauth.vault.grants import Held
from webex_oauth.vault.leases import Leases
from webex_oauth.vault.rescue import Rescue

pytestmark = [pytest.mark.anyio, pytest.mark.check("B10")]

DOWN = StoreUnavailable("down")


async def leased() -> tuple[House, TroubledStore, Leases]:
    """Sign alice in, and get ready to claim her grant."""
    store = TroubledStore()
    house = House(store=store)
    await house.admit(tokens())
    rescue = Rescue(Path(NO_FOLDER), store, house.sealer, house.clock)
    context = VaultContext(store, house.sealer, house.clock, os.urandom, rescue, QUICK, SIGN_IN_URL)
    return house, store, Leases(context)


async def held(house: House) -> Held:
    return Held(await house.row(), await house.held())


async def test_a_lease_left_behind_keeps_what_may_have_been_presented() -> None:
    house, store, leases = await leased()
    store.before["claim"] = [DOWN]
    with pytest.raises(StoreUnavailable):
        await leases.claim(await held(house))
    assert await leases.claim(await held(house)) is not None

    await leases.take_back(await held(house))

    assert await house.trouble() == (1, 0, 0)


async def test_a_claim_that_may_have_been_taken_is_taken_back_as_if_it_never_was() -> None:
    house, store, leases = await leased()
    store.after["claim"] = [DOWN]
    with pytest.raises(StoreUnavailable):
        await leases.claim(await held(house))

    await leases.take_back(await held(house))

    assert await house.trouble() == (0, 0, 0)


async def test_a_release_that_failed_is_made_up_for() -> None:
    house, store, leases = await leased()
    claimed = await leases.claim(await held(house))
    assert claimed is not None
    store.before["release"] = [DOWN]
    trouble = claimed.record.trouble
    assert not await leases.release(claimed, trouble)

    await leases.take_back(await held(house))

    assert (await house.row()).lease_owner is None
    assert (await house.row()).key == ALICE


async def test_two_processes_have_two_names() -> None:
    _, _, leases = await leased()
    _, _, others = await leased()

    assert leases.owner != others.owner


@pytest.mark.bound("lease and cool-down")
@pytest.mark.check("H13")
async def test_a_lease_that_a_wrong_clock_wrote_holds_nobody_up() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    await house.claim_as_another(lease_seconds=400 * 86_400)

    assert await house.vault.access_token(ALICE) == Secret("access-2")
