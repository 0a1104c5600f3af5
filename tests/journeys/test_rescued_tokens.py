"""Tokens that the store would not take: nobody is sent here until they are safe."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from failing_rows import FailingRows, after, nothing, writing
from journeys.acts import grant_keys, run_inside
from scene import Scene
from waiting import until

from webex_oauth.vault.rows import Kind

FORTNIGHT = 14 * 86_400


@pytest.fixture
def rows() -> FailingRows:
    return FailingRows()


@pytest.fixture
def scene(tmp_path: Path, rows: FailingRows) -> Iterator[Scene]:
    with Scene(tmp_path, rows=rows) as scene:
        yield scene


@pytest.mark.check("H02")
def test_a_process_that_holds_rescued_tokens_is_not_ready_until_they_are_stored(
    scene: Scene, rows: FailingRows
) -> None:
    scene.signed_in()
    (key,) = grant_keys(scene)
    scene.emulator.clock.advance(FORTNIGHT)
    rows.fails = after(1, writing(Kind.GRANT))

    served = run_inside(scene, scene.integration.vault.access_token(key))
    while_held = scene.browser().get("/readyz").status_code
    rows.fails = nothing
    wait_until_ready(scene)

    assert while_held == HTTPStatus.SERVICE_UNAVAILABLE
    assert run_inside(scene, scene.integration.vault.access_token(key)) == served


def wait_until_ready(scene: Scene) -> None:
    until(lambda: scene.browser().get("/readyz").status_code == HTTPStatus.OK)
