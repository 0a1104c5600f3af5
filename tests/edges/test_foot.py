"""The foot of the pages says that the flow is logged, where that is so and to its operator only."""

import logging
from pathlib import Path

import pytest
from edges.client import Client
from scene import Scene

LIBRARY = "webex_oauth"
FOOT = "<code>DEBUG=oauth</code> is on"


def says_so(scene: Scene) -> bool:
    return FOOT in Client(scene).get("/").text


@pytest.mark.parametrize(("level", "is_said"), [(logging.DEBUG, True), (logging.INFO, False)])
def test_it_is_said_on_this_machine_if_the_steps_are_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, level: int, *, is_said: bool
) -> None:
    with (
        caplog.at_level(level, logger=LIBRARY),
        Scene(tmp_path, variables={"DEBUG": "oauth"}) as scene,
    ):
        assert says_so(scene) is is_said


def test_it_is_not_said_to_the_public(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    variables, origin = {"DEBUG": "oauth"}, "https://spaces.example"
    with (
        caplog.at_level(logging.DEBUG, logger=LIBRARY),
        Scene(tmp_path, variables=variables, public_origin=origin) as scene,
    ):
        assert not says_so(scene)
