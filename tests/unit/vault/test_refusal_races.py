"""A refusal is written although another process changes the row at the same time."""

from collections.abc import Awaitable, Callable

import pytest
from unit.vault.scripted import ALICE, NOW, House, tokens

from webex_oauth.secret import Secret
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.grants import seal_in_place
from webex_oauth.vault.records import SealedRecord

pytestmark = [pytest.mark.anyio, pytest.mark.check("B11")]

FIRST, SECOND = Secret("access-1"), Secret("access-2")
LIVES = 14 * 86_400


class OvertakenStore(MemoryStore):
    """Let another process change the row after it was read and before it is sealed anew."""

    def __init__(self) -> None:
        super().__init__()
        self.overtakings: list[Callable[[], Awaitable[object]]] = []

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        """Seal a row anew, once the others were quicker."""
        while self.overtakings:
            await self.overtakings.pop()()
        return await super().reseal(record, sealed)


async def overtaken() -> tuple[House, OvertakenStore]:
    store = OvertakenStore()
    house = House(store=store)
    await house.admit(tokens(lives_for=LIVES))
    return house, store


async def test_a_refusal_is_written_into_a_row_that_was_sealed_anew_meanwhile() -> None:
    house, store = await overtaken()

    async def seal_anew() -> None:
        record = await house.row()
        assert await store.reseal(record, seal_in_place(house.sealer, await house.held(), record))

    store.overtakings = [seal_anew]
    await house.vault.refuse(ALICE, FIRST)

    assert (await house.held()).is_access_refused


async def test_a_refusal_does_not_touch_tokens_that_came_meanwhile() -> None:
    house, store = await overtaken()

    store.overtakings = [lambda: house.admit(tokens("access-2", lives_for=LIVES))]
    await house.vault.refuse(ALICE, FIRST)

    assert not (await house.held()).is_access_refused
    assert await house.vault.access_token(ALICE) == SECOND


async def test_a_refusal_of_a_grant_that_ended_meanwhile_is_over() -> None:
    house, store = await overtaken()

    store.overtakings = [lambda: store.end_grant(ALICE, now=NOW)]
    await house.vault.refuse(ALICE, FIRST)

    assert await store.find_grant(ALICE) is None


async def test_a_refusal_is_written_once() -> None:
    house = House()
    await house.admit(tokens(lives_for=LIVES))
    await house.vault.refuse(ALICE, FIRST)
    row = await house.row()

    await house.another_vault().refuse(ALICE, FIRST)

    assert await house.row() == row
