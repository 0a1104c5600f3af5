"""The commands: what they say, how they exit, and that nobody ever sees a traceback."""

import socket
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from click.testing import Result
from edges.command import call, environment, run, server, wait_until_listening
from services.processes import free_port
from waiting import LIMIT_SECONDS

from webex_oauth.cli import COMMANDS

PORTAL_URL = (
    "https://webexapis.com/v1/authorize?client_id=C0ffee00c0ffee&response_type=code&"
    "redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Foauth&"
    "scope=spark%3Apeople_read%20spark%3Arooms_read&state=set_state_here"
)
HEAVY = ("httptools", "cryptography", "starlette", "uvicorn", "jinja2", "sqlite3", "structlog")


def sample_env(port: int = 8080, *, secret: str = "a0" * 32) -> str:
    """Write the four names of the sample's own `.env`."""
    url = PORTAL_URL.format(port=port)
    return f"AUTH_INIT_URL={url}\nCLIENT_SECRET={secret}\nSTATE=fixed\nPORT={port}\nDEBUG=oauth\n"


def check(folder: Path, text: str | bytes, **variables: str) -> Result:
    """Run check-config on a `.env`."""
    path = folder / ".env"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o600)
    return call("check-config", "--env-file", str(path), **variables)


def test_the_samples_own_configuration_is_complete(tmp_path: Path) -> None:
    checked = check(tmp_path, sample_env())

    assert checked.exit_code == 0
    assert "The configuration is complete." in checked.stdout
    assert [line.partition(":")[0] for line in checked.stderr.splitlines()] == ["warning"]
    assert "STATE is ignored" in checked.stderr


@pytest.mark.parametrize("command", ["check-config", "serve"])
def test_every_mistake_is_told_at_once(command: str, tmp_path: Path) -> None:
    text = "AUTH_INIT_URL=https://webexapis.com/v1/authorize?client_id=a\nPORT=eighty\n"
    (tmp_path / ".env").write_text(text)
    (tmp_path / ".env").chmod(0o600)

    ended = call(command, "--env-file", str(tmp_path / ".env"))

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert all(line.startswith("error: ") for line in ended.stderr.splitlines())
    for part in ("PORT", "CLIENT_SECRET", "redirect URI", "scopes"):
        assert part in ended.stderr


def test_warnings_are_told_beside_mistakes(tmp_path: Path) -> None:
    text = sample_env(secret="").replace("rooms_read", "room_read")

    checked = check(tmp_path, text)

    assert checked.exit_code == 1
    assert "error: CLIENT_SECRET is missing" in checked.stderr
    assert "warning: the scope 'spark:room_read'" in checked.stderr


@pytest.mark.check("E01")
def test_check_config_never_shows_the_secret(tmp_path: Path) -> None:
    checked = check(tmp_path, sample_env(secret="s3cr3t" * 10) + "WEBEX_SCOPE=typo\n")

    assert "s3cr3t" not in checked.stdout + checked.stderr


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + sample_env().encode(),
        sample_env().replace("\n", "\r\n").encode(),
        "".join(f"export {line}\n" for line in sample_env().splitlines()).encode(),
        "".join(f"{line} # a comment\n" for line in sample_env().splitlines()).encode(),
        "".join("{}='{}'\n".format(*line.split("=", 1)) for line in sample_env().split()).encode(),
        "\n\n# comment\n{}".format(sample_env().replace("=", " = ", 1)).encode(),
        sample_env().encode() + "WEBEX_HOST=127.0.0.1\n# Grüße\n".encode(),
    ],
    ids=["BOM", "CRLF", "export", "comments", "quotes", "spaces", "unicode"],
)
def test_a_configuration_may_be_written_in_many_ways(text: bytes, tmp_path: Path) -> None:
    checked = check(tmp_path, text)

    assert (checked.exit_code, checked.stderr.count("error:")) == (0, 0), checked.stderr


@pytest.mark.check("C07")
@pytest.mark.parametrize("command", ["check-config", "serve"])
@pytest.mark.parametrize(
    "octets",
    [b"\x00\x01\xff\xfe", "AUTH_INIT_URL=ü".encode("utf-16"), b"CLIENT_SECRET=\xff\xfe\n"],
    ids=["binary", "UTF-16", "Latin-1"],
)
def test_a_file_that_is_not_text_is_reported_in_one_line(
    command: str, octets: bytes, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_bytes(octets)

    ended = call(command, "--env-file", str(tmp_path / ".env"))

    assert ended.exit_code == 1
    assert ended.stderr.count("\n") == 1
    assert ".env cannot be read (UnicodeDecodeError): save it as UTF-8 text" in ended.stderr


@pytest.mark.parametrize(
    "text",
    [
        "=\n",
        "AUTH_INIT_URL\n",
        "'\n",
        'CLIENT_SECRET="unfinished\n',
        "${}\n",
        "a=b=c\n",
        "export\n",
    ],
)
def test_a_garbled_line_is_never_a_traceback(text: str, tmp_path: Path) -> None:
    checked = check(tmp_path, text)

    assert checked.exit_code == 1
    assert "error: " in checked.stderr
    assert "Traceback" not in checked.stderr


def test_a_value_is_never_expanded(tmp_path: Path) -> None:
    text = sample_env().replace("DEBUG=oauth", "WEBEX_KEYS_FILE=${HOME}/keys")

    checked = check(tmp_path, text.replace("PORT=8080", "PORT=${PATH}"))

    assert checked.exit_code == 1
    assert "PORT must be a whole number" in checked.stderr


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    checked = check(tmp_path, sample_env(8080), PORT="9090")

    assert checked.exit_code == 1
    assert "which listens on port 9090" in checked.stderr


def test_serve_without_credentials_explains_in_three_lines(tmp_path: Path) -> None:
    ended = call("serve", "--env-file", str(tmp_path / ".env"))

    lines = ended.stderr.splitlines()
    assert (ended.exit_code, len(lines)) == (1, 3)
    assert "developer.webex.com" in lines[1]
    assert "webex-oauth demo" in lines[2]


@pytest.mark.check("C07")
@pytest.mark.parametrize("command", ["serve", "demo", "emulator"])
def test_a_port_in_use_is_told_in_one_line(command: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        (tmp_path / ".env").write_text(sample_env(int(port)))
        emulator_port = port if command == "emulator" else str(free_port())

        ended = run(tmp_path, command, PORT=port, EMULATOR_PORT=emulator_port)

    assert ended.returncode == 1
    told = [line for line in ended.stderr.splitlines() if not line.startswith("warning:")]
    assert len(told) == 1
    assert "rror: cannot listen on" in told[0]
    assert "Traceback" not in ended.stderr


def test_an_argument_that_is_not_text_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(sample_env())

    ended = run(tmp_path, "logout", "\udcff")

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == r"error: '\udcff' is not UTF-8 text: type it again"
    assert "Traceback" not in ended.stderr


def test_serve_with_the_samples_env_leads_to_webex(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / ".env").write_text(sample_env(port))

    with server(tmp_path, "serve") as process:
        process.line_with("Open ")
        wait_until_listening(port)
        answer = requests.post(f"http://localhost:{port}/login", allow_redirects=False, timeout=10)

    url = urlsplit(answer.headers["location"])
    fields = parse_qs(url.query)
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://webexapis.com/v1/authorize"
    assert fields["client_id"] == ["C0ffee00c0ffee"]
    assert fields["redirect_uri"] == [f"http://localhost:{port}/oauth"]
    assert fields["scope"] == ["spark:people_read spark:rooms_read"]
    assert fields["state"] != ["set_state_here"]
    assert fields["code_challenge_method"] == ["S256"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_serve_needs_no_standard_streams(closed: str, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / ".env").write_text(sample_env(port))
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {sys.executable} -m webex_oauth serve {closed}"],
        cwd=tmp_path,
        env=environment(XDG_DATA_HOME=str(tmp_path)),
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            wait_until_listening(port)
            requests.get(f"http://localhost:{port}/healthz", timeout=LIMIT_SECONDS)
            process.terminate()
            _, told = process.communicate(timeout=LIMIT_SECONDS)
        finally:
            process.kill()

    assert process.returncode == 0
    assert "Assertion" not in told


def test_the_emulator_writes_an_env_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "webex.env"

    with server(tmp_path, "emulator", "--port", "0", "--env-file", str(path)) as process:
        process.line_with("is not Webex")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert call("check-config", "--env-file", str(path)).exit_code == 0


def test_the_emulator_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "webex.env"
    path.write_text("precious")

    ended = run(tmp_path, "emulator", "--port", "0", "--env-file", str(path))

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "webex.env exists and was not written by an emulator" in ended.stderr
    assert path.read_text() == "precious"


@pytest.mark.check("H14")
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - the address that is refused
def test_the_emulator_refuses_to_be_reached_from_elsewhere(host: str) -> None:
    ended = call("emulator", "--host", host, "--port", "0")

    assert ended.exit_code == 1
    assert "loopback only" in ended.stderr
    assert "--allow-beyond-loopback" in ended.stderr


@pytest.mark.parametrize("command", [*COMMANDS, ""])
def test_every_command_explains_itself(command: str) -> None:
    ended = call(*command.split(), "--help")

    assert ended.exit_code == 0
    assert "Usage:" in ended.stdout
    assert COMMANDS.get(command, "Commands").split()[0].rstrip(".") in ended.stdout


def test_the_package_is_a_command_too(tmp_path: Path) -> None:
    ended = run(tmp_path, "--version")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"webex-oauth {version('webex-oauth')}\n"


@pytest.mark.parametrize("group", [[], ["keys"]])
def test_a_group_alone_tells_its_commands_as_its_help_does(group: list[str]) -> None:
    ended = call(*group)

    assert ended.exit_code == 2
    assert ended.stderr == call(*group, "--help").stdout


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_start_up_loads_nothing_that_it_does_not_need(option: str, tmp_path: Path) -> None:
    assert modules_after(tmp_path, option).isdisjoint(HEAVY)


def test_the_emulator_loads_no_client_and_no_keys(tmp_path: Path) -> None:
    assert modules_after(tmp_path, "emulator", "--help").isdisjoint(
        {"cryptography", "sqlite3", "webex_oauth.integration", "webex_oauth.transport"}
    )


def test_a_token_needs_neither_web_stack_nor_emulator_nor_sign_in(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(sample_env())

    loaded = modules_after(tmp_path, "token")

    unneeded = {"starlette", "uvicorn", "uvloop", "jinja2", "multipart", "structlog", "email"}
    folders = {f"webex_oauth.{name}" for name in ("emulator", "flows", "integration", "library")}
    assert loaded.isdisjoint(unneeded | folders | {"webex_oauth.web", "html", "webbrowser"})
    assert "webex_oauth.webex.people" not in loaded
    assert "webex_oauth.vault.vault" in loaded


def test_a_token_without_a_file_of_settings_needs_no_reader_of_files(tmp_path: Path) -> None:
    assert modules_after(tmp_path, "token").isdisjoint({"dotenv", "tempfile", "secrets"})


def modules_after(folder: Path, *arguments: str) -> set[str]:
    """Run a command in a process that tells afterwards what it had loaded."""
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('loaded', *sys.modules))\n"
        "from webex_oauth.cli import main\n"
        f"main({list(arguments)!r})\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    words = set(ended.stdout.partition("loaded ")[2].split())
    assert "webex_oauth.cli" in words
    return words
