"""`webex-oauth learn`: a step of the ladder beside a local Webex, until Ctrl-C."""

import signal
from pathlib import Path

import pytest
import requests
from edges.command import Server, run, server, wait_until_listening
from edges.visiting import MIRA
from services.processes import free_port

from webex_oauth.emulator import Visitor

SECONDS = 10


def ports() -> dict[str, str]:
    return {"PORT": str(free_port()), "EMULATOR_PORT": str(free_port())}


def sign_in(port: str) -> str:
    """Sign in, and return the page that the step then shows."""
    origin = f"http://localhost:{port}"
    with requests.Session() as browser:
        page = browser.get(f"{origin}/", timeout=SECONDS).text
        start_link = page.partition('<a href="http')[2].partition('"')[0].replace("&amp;", "&")
        callback = Visitor().sign_in(f"http{start_link}", MIRA)
        return browser.get(callback, timeout=SECONDS).text


def end(process: Server, number: signal.Signals) -> tuple[int, bool]:
    """Send a signal; return the exit status, and whether there was a traceback."""
    process.send(number)
    ended = process.end()
    return ended.exit_code, "Traceback" in ended.output


@pytest.mark.parametrize(
    ("step", "number"), [("1", signal.SIGINT), ("2", signal.SIGHUP), ("6", signal.SIGTERM)]
)
def test_it_says_what_to_try_serves_the_step_and_ends_with_it(
    tmp_path: Path, step: str, number: signal.Signals
) -> None:
    variables = ports()
    with server(tmp_path, "learn", step, TMPDIR=str(tmp_path), **variables) as process:
        process.line_with("Ctrl-C stops both")
        process.line_with(f"Open http://localhost:{variables['PORT']}/")
        wait_until_listening(int(variables["PORT"]))
        page = sign_in(variables["PORT"])
        said = process.output

        assert "So happy to meet you, Mira Ito!" in page
        assert f"Step {step}: " in said
        assert "Try: " in said
        assert f"learn/{step}_" in said
        assert end(process, number) == (0, False)

    assert list(tmp_path.glob("webex-oauth-learn-*")) == []
    for port in variables.values():
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{port}/", timeout=SECONDS)


@pytest.mark.parametrize("taken", ["PORT", "EMULATOR_PORT"])
def test_a_port_in_use_is_told_with_its_name(tmp_path: Path, taken: str) -> None:
    variables = ports()
    with server(tmp_path, "learn", "2", **variables) as process:
        process.line_with("Ctrl-C stops both")
        wait_until_listening(int(variables["PORT"]))

        ended = run(tmp_path, "learn", "2", **(ports() | {taken: variables[taken]}))
        end(process, signal.SIGTERM)  # killed, it would leave its step behind
        end(process, signal.SIGTERM)

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert taken in ended.stderr


def test_a_step_that_is_none_is_told_with_those_there_are(tmp_path: Path) -> None:
    ended = run(tmp_path, "learn", "7")

    assert ended.returncode == 2
    assert "1<=x<=6" in ended.stderr
