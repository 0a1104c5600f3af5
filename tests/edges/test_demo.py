"""`webex-oauth demo`, and the foot of the pages that says when the flow is logged."""

import logging
from pathlib import Path

import pytest
import requests
from edges.client import Client
from edges.command import server, wait_until_listening
from edges.visiting import sign_in
from scene import Scene
from services.processes import free_port

SECONDS = 10
FOOT = "each step of the sign-in is written to the log"
LIBRARY = "webex_oauth"


@pytest.mark.parametrize(("debug", "lines"), [("", 0), ("oauth", 1)])
def test_the_foot_tells_of_a_log_that_is_written(tmp_path: Path, debug: str, lines: int) -> None:
    port = free_port()
    variables = {"PORT": str(port), "EMULATOR_PORT": str(free_port()), "DEBUG": debug}
    with server(tmp_path, "demo", TMPDIR=str(tmp_path), **variables) as process:
        process.line_with("Ctrl-C stops both")
        wait_until_listening(port)
        sign_in(port)
        page = requests.get(f"http://localhost:{port}/", timeout=SECONDS).text
        said = process.output

    assert " ".join(page.split()).count(FOOT) == lines
    assert said.count("code exchanged") == lines


def test_a_browser_passes_the_front_door_and_signs_in_at_the_broker(tmp_path: Path) -> None:
    port, front_door, broker = free_port(), free_port(), free_port()
    variables = {
        "PORT": str(port),
        "EMULATOR_PORT": str(front_door),
        "EMULATOR_BROKER_PORT": str(broker),
    }
    with server(tmp_path, "demo", TMPDIR=str(tmp_path), **variables) as process:
        process.line_with("Ctrl-C stops both")
        wait_until_listening(port)
        page = requests.get(f"http://localhost:{port}/login", timeout=SECONDS)
        said = process.output

    origins = [f"http://127.0.0.1:{front_door}/", f"http://127.0.0.1:{broker}/"]
    assert [one.url.startswith(origins[0]) for one in page.history] == [False, True]
    assert page.url.startswith(origins[1])
    assert all(origin in said for origin in origins)


@pytest.mark.parametrize(
    ("level", "public_uri", "is_said"),
    [
        (logging.DEBUG, None, True),
        (logging.INFO, None, False),
        (logging.DEBUG, "https://spaces.example/oauth", False),
    ],
)
def test_it_is_said_on_this_machine_alone_and_if_the_steps_are_logged(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    level: int,
    public_uri: str | None,
    *,
    is_said: bool,
) -> None:
    variables = {"DEBUG": "oauth"}
    with (
        caplog.at_level(level, logger=LIBRARY),
        Scene(tmp_path, variables=variables, public_uri=public_uri) as scene,
    ):
        assert (FOOT in Client(scene).get("/").text) is is_said
