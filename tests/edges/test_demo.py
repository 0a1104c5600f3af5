"""`webex-oauth demo`: it names both origins of the local Webex; its log is what its pages say."""

from pathlib import Path

import pytest
import requests
from edges.command import free_port, server, wait_until_listening
from edges.visiting import sign_in

SECONDS = 10
FOOT = "each step of the sign-in is written to the log"


@pytest.mark.parametrize(("debug", "lines"), [("", 0), ("oauth", 1)])
def test_the_foot_tells_of_a_log_that_is_written(tmp_path: Path, debug: str, lines: int) -> None:
    port = free_port()
    variables = {"PORT": str(port), "EMULATOR_PORT": str(free_port()), "DEBUG": debug}
    with server(tmp_path, "demo", **variables) as process:
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
    with server(tmp_path, "demo", **variables) as process:
        process.line_with("Ctrl-C stops both")
        wait_until_listening(port)
        page = requests.get(f"http://localhost:{port}/login", timeout=SECONDS)
        said = process.output

    origins = [f"http://127.0.0.1:{front_door}/", f"http://127.0.0.1:{broker}/"]
    assert [one.url.startswith(origins[0]) for one in page.history] == [False, True]
    assert page.url.startswith(origins[1])
    assert all(origin in said for origin in origins)
