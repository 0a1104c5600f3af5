"""check-config: what would stop a start is told before it, all at once, and nothing is made."""

import asyncio
import errno
import os
import socket
import ssl
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from click.testing import Result
from edges.command import call, env_text, run
from services.processes import free_port
from unit.raw_server import Answering, raw_server, say, say_body

from webex_oauth.emulator import Emulator, RunningEmulator

KEY = f"k1 {urlsafe_b64encode(os.urandom(32)).decode()}"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with RunningEmulator() as running:
        yield running.emulator


def check(folder: Path, emulator: Emulator, *options: str, **settings: str) -> Result:
    """Run check-config on a `.env` that is complete but for *settings*."""
    path = folder / ".env"
    path.write_text(env_text(emulator, free_port(), settings))
    path.chmod(0o600)
    return call("check-config", "--env-file", str(path), *options)


@pytest.mark.parametrize("content", ["", "no certificate\n", "-----BEGIN CERTIFICATE-----\nAA\n"])
def test_a_file_of_authorities_without_one_is_told(
    content: str, tmp_path: Path, emulator: Emulator
) -> None:
    (tmp_path / "ca.pem").write_text(content)

    checked = check(tmp_path, emulator, WEBEX_CA_FILE="ca.pem")

    assert checked.exit_code == 1
    assert checked.stderr.count("error: ") == 1
    assert f"WEBEX_CA_FILE {tmp_path / 'ca.pem'} cannot be used" in checked.stderr
    assert "BEGIN CERTIFICATE" in checked.stderr


def test_an_address_of_ipv6_is_shown_in_brackets(tmp_path: Path, emulator: Emulator) -> None:
    checked = check(tmp_path, emulator, WEBEX_HOST="::1")

    assert "[::1]:" in checked.stdout


def test_what_settings_and_files_get_wrong_is_told_at_once(
    tmp_path: Path, emulator: Emulator
) -> None:
    (tmp_path / "ca.pem").touch()
    (tmp_path / "file").touch()
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys/keys").write_text("changeme\n")
    (tmp_path / "keys/keys").chmod(0o600)

    checked = check(
        tmp_path,
        emulator,
        WEBEX_PROXY="https://proxy.example",
        WEBEX_CA_FILE="ca.pem",
        WEBEX_KEYS_FILE="keys/keys",
        WEBEX_STORE_URL="sqlite:///file/vault.sqlite",
    )

    told = [line for line in checked.stderr.splitlines() if line.startswith("error: ")]
    assert checked.exit_code == 1
    assert len(told) == 4, checked.stderr
    for name in ("WEBEX_PROXY", "WEBEX_CA_FILE", "keys/keys", "WEBEX_STORE_URL"):
        assert sum(name in line for line in told) == 1, name


def test_nothing_is_made(tmp_path: Path, emulator: Emulator) -> None:
    checked = check(tmp_path, emulator, "--connect")

    assert (checked.exit_code, checked.stderr) == (0, "")
    assert "the store will be created at the first start" in checked.stdout
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


@pytest.mark.parametrize("name", ["keys", "vault.sqlite"])
def test_a_folder_that_others_can_enter_is_told(
    name: str, tmp_path: Path, emulator: Emulator
) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    setting = {
        "keys": {"WEBEX_KEYS_FILE": "open/keys"},
        "vault.sqlite": {"WEBEX_STORE_URL": "sqlite:///open/vault.sqlite"},
    }[name]

    checked = check(tmp_path, emulator, **setting)

    assert checked.exit_code == 1
    assert next(iter(setting)) in checked.stderr
    assert f"chmod 700 {tmp_path / 'open'}" in checked.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_store_of_another_user_is_told(tmp_path: Path, emulator: Emulator) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    os.chown(tmp_path / "theirs", 65534, 65534)

    checked = check(tmp_path, emulator, WEBEX_STORE_URL="sqlite:///theirs/vault.sqlite")

    assert checked.exit_code == 1
    assert "WEBEX_STORE_URL" in checked.stderr
    assert "belongs to user 65534" in checked.stderr


def test_a_port_that_is_taken_is_a_warning(tmp_path: Path, emulator: Emulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = tmp_path / ".env"
        path.write_text(env_text(emulator, port))
        path.chmod(0o600)

        checked = call("check-config", "--env-file", str(path))

    assert checked.exit_code == 0
    assert f"warning: cannot listen on 127.0.0.1:{port}" in checked.stderr
    assert "set PORT to a free one" in checked.stderr


def test_a_neighbour_whom_browsers_meet_first_is_a_warning(
    tmp_path: Path, emulator: Emulator
) -> None:
    try:
        neighbour = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error.strerror}")
    with neighbour:
        port = neighbour.getsockname()[1]
        path = tmp_path / ".env"
        path.write_text(env_text(emulator, port))

        checked = call("check-config", "--env-file", str(path))
        elsewhere = call("check-config", "--env-file", str(path), WEBEX_HOST="0.0.0.0")  # noqa: S104 - looked at, not bound for long

    assert f"warning: another program listens on [::1]:{port}" in checked.stderr
    assert "another program" not in elsewhere.stderr


@pytest.mark.parametrize("command", ["check-config", "serve"])
def test_an_address_of_another_machine_is_told_with_its_own_setting(
    command: str, tmp_path: Path, emulator: Emulator
) -> None:
    (tmp_path / ".env").write_text(env_text(emulator, free_port(), {"WEBEX_HOST": "192.0.2.1"}))

    ended = run(tmp_path, command)

    assert ended.returncode == 1
    [told] = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "set WEBEX_HOST to an address of this machine" in told
    assert "PORT to" not in told


def test_the_ways_are_tried_when_asked(tmp_path: Path, emulator: Emulator) -> None:
    checked = check(tmp_path, emulator, "--connect", WEBEX_STORE_URL="memory:", WEBEX_KEYS=KEY)

    assert checked.exit_code == 0, checked.stderr
    assert f"{emulator.origin} answers (status " in checked.stdout
    assert "the store answers and can be written" in checked.stdout


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://postgres@127.0.0.1:{port}/postgres", os.strerror(errno.ECONNREFUSED)),
        ("redis://127.0.0.1:{port}", os.strerror(errno.ECONNREFUSED)),
    ],
)
def test_a_store_that_is_not_there_is_named(
    url: str, words: str, tmp_path: Path, emulator: Emulator
) -> None:
    port = free_port()

    checked = check(
        tmp_path,
        emulator,
        "--connect",
        WEBEX_STORE_URL=url.format(port=port),
        WEBEX_KEYS=KEY,
    )

    assert checked.exit_code == 1
    [told] = [line for line in checked.stderr.splitlines() if line.startswith("error: ")]
    assert words in told
    assert "127.0.0.1" in told
    assert str(port) in told


def env_at(origin: str, **more: str) -> dict[str, str]:
    """Configure an integration at the Webex at *origin*, kept in memory."""
    port = free_port()
    return {
        "WEBEX_CLIENT_ID": "Cabc",
        "CLIENT_SECRET": "a0" * 32,
        "WEBEX_REDIRECT_URI": f"http://localhost:{port}/oauth",
        "PORT": str(port),
        "WEBEX_SCOPES": "spark:people_read",
        "WEBEX_ORIGIN": origin,
        "WEBEX_STORE_URL": "memory:",
        "WEBEX_KEYS": KEY,
        **more,
    }


def checked_beside(
    folder: Path, settings_of: Callable[[str], dict[str, str]], answer: Answering, *, is_tls: bool
) -> tuple[str, str]:
    """Run check-config beside a server; return its place and the one error that is told.

    *settings_of* its origin are those that the command is given.
    """
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if is_tls else None
    if tls:
        trustme.CA().issue_cert("localhost").configure_cert(tls)

    async def ask() -> tuple[str, subprocess.CompletedProcess[str]]:
        async with raw_server(answer, tls=tls) as server:
            settings = settings_of(server.origin)
            ended = await asyncio.to_thread(run, folder, "check-config", "--connect", **settings)
            return server.origin.partition("://")[2], ended

    place, ended = asyncio.run(ask())
    assert ended.returncode == 1
    [told] = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    return place, told


def test_a_certificate_that_is_not_trusted_is_named(tmp_path: Path) -> None:
    place, told = checked_beside(tmp_path, env_at, say_body(b""), is_tls=True)

    assert f"error: the certificate of {place} is not trusted" in told
    assert "WEBEX_CA_FILE" in told


def test_a_proxy_that_opens_no_tunnel_is_named_with_its_status(tmp_path: Path) -> None:
    def through(origin: str) -> dict[str, str]:
        return env_at("https://localhost:1", WEBEX_PROXY=origin)

    refusal = say(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    place, told = checked_beside(tmp_path, through, refusal, is_tls=False)

    assert f"error: the proxy {place} answered 407" in told
    assert "http://USER:PASSWORD@HOST:PORT" in told


def test_a_stores_certificate_that_is_not_trusted_is_named(
    tmp_path: Path, emulator: Emulator
) -> None:
    def kept_at(origin: str) -> dict[str, str]:
        return env_at(emulator.origin, WEBEX_STORE_URL=origin.replace("https://", "rediss://"))

    _, told = checked_beside(tmp_path, kept_at, say_body(b""), is_tls=True)

    assert "localhost:" in told
    assert "certificate verify failed" in told


def test_each_way_that_fails_is_told(tmp_path: Path) -> None:
    store = f"redis://127.0.0.1:{free_port()}"
    origin = f"http://localhost:{free_port()}"

    ended = run(tmp_path, "check-config", "--connect", **env_at(origin, WEBEX_STORE_URL=store))

    told = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert (ended.returncode, len(told)) == (1, 2)
    assert origin.removeprefix("http://") in told[0]
    assert store.removeprefix("redis://") in told[1]
