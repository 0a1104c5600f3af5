"""Tokens that the store would not take: nobody is sent here until they are safe."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from journeys.acts import run_inside
from scene import Scene
from waiting import until

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.records import GrantRecord

FORTNIGHT = 14 * 86_400


class StubbornStore(MemoryStore):
    """Take no refreshed grant for as long as it is stubborn."""

    is_stubborn = True

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        if self.is_stubborn:
            raise StoreUnavailable("stubborn")
        await super().replace_grant(record, expected_version)


@pytest.fixture
def stubborn_store() -> StubbornStore:
    return StubbornStore()


@pytest.fixture
def scene(tmp_path: Path, stubborn_store: StubbornStore) -> Iterator[Scene]:
    with Scene(tmp_path, store=stubborn_store) as scene:
        yield scene


@pytest.mark.check("H02")
def test_a_process_that_holds_rescued_tokens_is_not_ready_until_they_are_stored(
    scene: Scene, stubborn_store: StubbornStore
) -> None:
    scene.signed_in()
    (key,) = run_inside(scene, keys_of(stubborn_store))
    scene.emulator.clock.advance(FORTNIGHT)

    served = run_inside(scene, scene.integration.vault.access_token(key))
    while_held = scene.browser().get("/readyz").status_code
    stubborn_store.is_stubborn = False
    wait_until_ready(scene)

    assert while_held == HTTPStatus.SERVICE_UNAVAILABLE
    assert run_inside(scene, scene.integration.vault.access_token(key)) == served


async def keys_of(store: MemoryStore) -> list[bytes]:
    return [record.key for record in await store.scan(GrantRecord, after=b"", limit=9)]


def wait_until_ready(scene: Scene) -> None:
    until(lambda: scene.browser().get("/readyz").status_code == HTTPStatus.OK)
