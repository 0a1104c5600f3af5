"""One scene for the journeys of a module, with every step logged; each test has a fresh Webex."""

from collections.abc import Iterator

import pytest
from scene import Scene


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("scene"), variables={"DEBUG": "oauth"}) as scene:
        yield scene


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.emulator.reset()
    return stage
