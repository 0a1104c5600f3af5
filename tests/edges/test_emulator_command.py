"""`webex-oauth emulator`: two origins, one `.env` for many starts, each mistake in a line."""

import contextlib
import signal
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from dotenv import dotenv_values
from edges.command import Server, call, run, server, wait_until_listening
from services.processes import free_port

from webex_oauth.emulator import CLIENT_ID_PREFIX, Visitor

SECONDS = 10
MIRA = "mira@acme.example"
CLIENT_ID = CLIENT_ID_PREFIX + "0123456789abcdef" * 3
SECRET = "emulator-of-a-test"


def started(process: Server) -> str:
    """Return the front door's origin, when it is said."""
    return process.line_with("The emulator is at ").split()[4].rstrip("/")


def values_of(path: Path) -> Mapping[str, str]:
    return {name: value or "" for name, value in dotenv_values(path).items()}


def sign_in(path: Path) -> str:
    return Visitor().sign_in(values_of(path)["AUTH_INIT_URL"], MIRA)


def test_an_env_file_serves_every_later_start(tmp_path: Path) -> None:
    path, port = tmp_path / "webex.env", str(free_port())
    arguments = ("emulator", "--port", port, "--env-file", str(path))
    texts, callbacks = [], []
    for more in (arguments, arguments, ("emulator", "--env-file", str(path))):
        with server(tmp_path, *more) as process:
            started(process)
            texts.append(path.read_text())
            callbacks.append(sign_in(path))
            process.send(signal.SIGTERM)
            assert process.end().exit_code == 0

    assert len(set(texts)) == 1
    assert all(one.startswith("http://localhost:8080/oauth?code=") for one in callbacks)


def test_whoever_connects_finds_the_env_file_written(tmp_path: Path) -> None:
    path, port = tmp_path / "webex.env", free_port()
    with server(tmp_path, "emulator", f"--port={port}", "--broker-port=0", f"--env-file={path}"):
        wait_until_listening(port)

        assert sign_in(path).startswith("http://localhost:8080/oauth?code=")


@pytest.mark.parametrize(
    "option",
    [
        ("--redirect-uri", "http://localhost:9999/cb"),
        ("--client-id", CLIENT_ID),
        ("--client-secret", SECRET),
    ],
)
def test_an_env_file_of_another_integration_is_left_alone(
    tmp_path: Path, option: tuple[str, str]
) -> None:
    path, port = tmp_path / "webex.env", str(free_port())
    with server(tmp_path, "emulator", "--port", port, "--env-file", str(path)) as process:
        started(process)
    text = path.read_text()

    ended = run(tmp_path, "emulator", "--port", port, "--env-file", str(path), *option)

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "webex.env names another integration" in ended.stderr
    assert path.read_text() == text


def test_an_env_file_of_another_origin_is_told_with_both(tmp_path: Path) -> None:
    path, port = tmp_path / "webex.env", str(free_port())
    with server(tmp_path, "emulator", "--port", port, "--env-file", str(path)) as process:
        origin = started(process)
    other = str(free_port())

    ended = run(tmp_path, "emulator", "--port", other, "--env-file", str(path))

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert f"for the emulator at {origin}, not for http://127.0.0.1:{other}" in ended.stderr


def test_an_id_a_secret_and_a_name_can_be_fixed(tmp_path: Path) -> None:
    path = tmp_path / "webex.env"
    arguments = ("--client-id", CLIENT_ID, "--client-secret", SECRET, "--name", "Rover")
    with server(tmp_path, "emulator", "--port=0", "--env-file", str(path), *arguments) as process:
        origin = started(process)
        page = requests.get(f"{origin}/", timeout=SECONDS).text

    values = values_of(path)
    assert values["CLIENT_SECRET"] == SECRET
    assert parse_qs(urlsplit(values["AUTH_INIT_URL"]).query)["client_id"] == [CLIENT_ID]
    assert "Rover" in page


def test_a_seed_invents_the_same_twice(tmp_path: Path) -> None:
    port = str(free_port())
    seen = set()
    for number in range(2):
        path = tmp_path / f"{number}.env"
        arguments = ("--port", port, "--env-file", str(path), "--seed", "7")
        with server(tmp_path, "emulator", *arguments) as process:
            started(process)
            seen.add((path.read_text(), sign_in(path)))

    assert len(seen) == 1


def test_links_and_the_env_name_the_origin_that_is_given(tmp_path: Path) -> None:
    path, port = tmp_path / "webex.env", str(free_port())
    arguments = ("--port", port, "--origin", "http://webex.test", "--env-file", str(path))
    with server(tmp_path, "emulator", *arguments) as process:
        process.line_with("The emulator is at http://webex.test/ ")
        handed_over = requests.get(
            f"http://127.0.0.1:{port}/v1/authorize", allow_redirects=False, timeout=SECONDS
        )

    assert values_of(path)["WEBEX_ORIGIN"] == "http://webex.test"
    assert handed_over.headers["location"].startswith("http://webex.test:")


@pytest.mark.check("C07")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--redirect-uri", "not a uri"], "'not a uri' cannot be a redirect URI"),
        (["--redirect-uri", "http://localhost:99999/oauth"], "cannot be a redirect URI"),
        (["--redirect-uri", "http://localhost:port/oauth"], "cannot be a redirect URI"),
        (["--redirect-uri", "http:///oauth"], "names no host"),
        (["--redirect-uri", ""], "cannot be a redirect URI"),
        (["--redirect-uri", "http://localhost/#f"], "cannot be a redirect URI"),
        (["--redirect-uri", "javascript:alert(1)"], "cannot be a redirect URI"),
        (["--redirect-uri", "http://[::1/oauth"], "cannot be a redirect URI"),
        (["--host", "no.such.host.invalid"], "--host takes"),
        (["--host", "192.0.2.1", "--allow-beyond-loopback"], "--host takes"),
        (["--host", "a" * 80], "--host takes"),
        (["--host", "a..b"], "--host takes"),
        (["--client-id", "Cabc"], "client ids"),
        (["--client-id", "C" + "0123456789abcdef" * 4], "never give it a real one"),
        (["--client-secret", "0f9e" * 16], "client secrets that begin with"),
        (["--client-secret", "emulator-a b#c"], "--client-secret takes"),
        (["--name", ""], "name of an integration"),
        (["--name", "a\nb"], "name of an integration"),
        (["--client-id", ""], "client ids"),
        (["--client-secret", ""], "--client-secret takes"),
        (["--origin", ""], "is not an origin"),
        (["--origin", "webex.test"], "is not an origin"),
        (["--origin", "http://webex.test/v1"], "is not an origin"),
        (["--origin", "http://webex.test:99999"], "is not an origin"),
        (["--origin", "ftp://webex.test"], "is not an origin"),
        (["--broker-origin", "http://a b"], "is not an origin"),
        (["--env-file", "no/such/folder/.env"], "was not written"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    with contextlib.chdir(tmp_path):
        ended = call("emulator", "--port", "0", *arguments)

    assert ended.exit_code == 1
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("error: ")
    assert words in ended.stderr


@pytest.mark.parametrize("command", ["emulator", "demo"])
def test_a_brokers_port_in_use_is_told_with_its_name(tmp_path: Path, command: str) -> None:
    front_door, broker = free_port(), free_port()
    with server(tmp_path, "emulator", "--port=0", f"--broker-port={broker}") as process:
        started(process)
        variables = {
            "PORT": str(free_port()),
            "EMULATOR_PORT": str(front_door),
            "EMULATOR_BROKER_PORT": str(broker),
        }

        ended = run(tmp_path, command, **variables)

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "choose another EMULATOR_BROKER_PORT" in ended.stderr


def test_a_control_token_opens_the_control_api(tmp_path: Path) -> None:
    with server(tmp_path, "emulator", "--port=0", EMULATOR_CONTROL_TOKEN="open") as process:
        url = f"{started(process)}/_emulator/clock"
        refused = requests.get(url, timeout=SECONDS)
        headers = {"Emulator-Control-Token": "open"}
        opened = requests.get(url, headers=headers, timeout=SECONDS)

    assert (refused.status_code, opened.status_code) == (403, 200)
