"""The foot of the pages says that the flow is logged, where that is so and to its operator only."""

import logging
import signal
from pathlib import Path

import pytest
from edges.client import Client
from edges.command import free_port, server, wait_until_listening
from edges.visiting import sign_in
from scene import Scene

LIBRARY = "webex_oauth"
SECONDS = 30
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


@pytest.mark.parametrize("variables", [{}, {"DEBUG": "oauth"}], ids=["as it is", "debugging"])
def test_the_demo_logs_what_its_foot_says(tmp_path: Path, variables: dict[str, str]) -> None:
    port, emulator_port = free_port(), free_port()
    ports = {"PORT": str(port), "EMULATOR_PORT": str(emulator_port)}
    with server(tmp_path, "demo", **ports, **variables) as process:
        process.line_with("Ctrl-C stops both")
        wait_until_listening(port)
        page = sign_in(port).get(f"http://localhost:{port}/", timeout=SECONDS).text
        process.send(signal.SIGINT)
        output = process.end().output

    assert [step in output for step in ("sign-in begun", "code exchanged")] == [FOOT in page] * 2
