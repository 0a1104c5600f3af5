"""Signals: what is under way is finished, nothing new is taken, and the end is a clean one."""

import signal
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from edges.command import server, serving, wait_until_listening, wait_until_refusing
from edges.visiting import sign_in
from services.processes import free_port
from waiting import until

from webex_oauth.emulator import Delay, Emulator, Hang

SECONDS = 30


def ask_for_spaces(
    pool: ThreadPoolExecutor, emulator: Emulator, port: int
) -> "Future[requests.Response]":
    """Ask for the spaces, and wait until Webex was asked for them."""
    browser = sign_in(port)
    emulator.journal.clear()
    asked = pool.submit(browser.get, f"http://localhost:{port}/listrooms", timeout=SECONDS)
    until(lambda: emulator.journal.count("GET", "/v1/rooms"))
    assert not asked.done()
    return asked


def assert_clean(output: str) -> None:
    assert "Traceback" not in output
    assert "code=" not in output
    assert "error" not in output.lower()


@pytest.mark.check("H08")
def test_sigterm_finishes_what_is_under_way_and_takes_nothing_new(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, emulator, port), ThreadPoolExecutor() as pool:
        emulator.faults.add("GET", "/v1/rooms", Delay(seconds=3))
        asked = ask_for_spaces(pool, emulator, port)

        process.send(signal.SIGTERM)
        wait_until_refusing(port)
        is_still_under_way = not asked.done()
        answer = asked.result(SECONDS)
        ended = process.end()

    assert is_still_under_way
    assert answer.status_code == 200
    assert answer.text.rstrip().endswith("</html>")
    assert ended.exit_code == 0
    assert_clean(ended.output)


@pytest.mark.check("H08")
def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, emulator, port), ThreadPoolExecutor() as pool:
        emulator.faults.add("GET", "/v1/rooms", Hang(limit_seconds=10), times=None)
        asked = ask_for_spaces(pool, emulator, port)

        process.send(signal.SIGTERM)
        wait_until_refusing(port)
        process.send(signal.SIGTERM)
        ended = process.end()
        emulator.faults.clear()

    assert ended.exit_code == 128 + signal.SIGTERM
    assert isinstance(asked.exception(SECONDS), requests.ConnectionError)
    assert "Traceback" not in ended.output


@pytest.mark.check("C07", "H08")
def test_ctrl_c_ends_serve_cleanly(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, _, port):
        process.send(signal.SIGINT)
        ended = process.end()

    assert ended.exit_code == 0
    assert_clean(ended.output)
    wait_until_refusing(port)


@pytest.mark.check("C07", "H08")
def test_ctrl_c_ends_the_demo_cleanly_and_leaves_nothing(tmp_path: Path) -> None:
    port, emulator_port = free_port(), free_port()
    arguments = ("demo", "--port", str(port), "--emulator-port", str(emulator_port))
    with server(tmp_path, *arguments) as process:
        process.line_with("Ctrl-C stops both")
        wait_until_listening(port)
        process.send(signal.SIGINT)
        ended = process.end()

    assert ended.exit_code == 0
    assert_clean(ended.output)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.check("H08")
def test_the_demo_finishes_what_is_under_way_at_both_of_its_servers(tmp_path: Path) -> None:
    port, emulator_port = free_port(), free_port()
    fault = b'{"path": "/v1/rooms", "action": {"type": "delay", "seconds": 3}}'
    with (
        server(tmp_path, "demo", PORT=str(port), EMULATOR_PORT=str(emulator_port)) as process,
        ThreadPoolExecutor() as pool,
    ):
        process.line_with("Ctrl-C stops both")
        wait_until_listening(port)
        browser = sign_in(port)
        control(emulator_port, "faults", fault)
        asked = pool.submit(browser.get, f"http://localhost:{port}/listrooms", timeout=SECONDS)
        until(lambda: b"/v1/rooms" in control(emulator_port, "journal"))
        assert not asked.done()
        process.send(signal.SIGTERM)
        answer = asked.result(SECONDS)
        ended = process.end()

    assert answer.status_code == 200
    assert ended.exit_code == 0
    assert_clean(ended.output)


def control(emulator_port: int, name: str, body: bytes | None = None) -> bytes:
    """Speak to the emulator's control API."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{emulator_port}/_emulator/{name}",
        body,
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - loopback
        return bytes(answer.read())


@pytest.mark.check("H08")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_emulator_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    with server(tmp_path, "emulator", "--port", "0") as process:
        process.line_with("is not Webex")
        process.send(number)
        ended = process.end()

    assert ended.exit_code == 0
    assert "Traceback" not in ended.output
