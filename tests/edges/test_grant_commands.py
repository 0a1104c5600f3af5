"""Commands at a terminal, each in a process: sign in, take a token, run a program, sign out."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from canary import RUN
from canary_watch import look_at_folder
from edges.command import (
    environment,
    is_listening,
    run,
    server,
    wait_until_listening,
    wait_until_refusing,
)
from services.processes import free_port
from waiting import LIMIT_SECONDS

from webex_oauth.emulator import Answer, Emulator, Options, RunningEmulator, Visitor, sample_env

LUCA = "luca@acme.example"
MIRA = "mira@acme.example"
TOKEN_PATH = ("POST", "/v1/access_token")


class Machine:
    """A person's machine: a `.env` in a folder, commands, and a browser."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator, self.folder, self.port = emulator, folder, free_port()
        self.registered = emulator.register(f"http://localhost:{self.port}/oauth")
        RUN.plant("client_secret", self.registered.client_secret)
        env = sample_env(self.registered, emulator.origin)
        (folder / ".env").write_text(env.replace("DEBUG=oauth\n", ""))

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        ended = run(self.folder, *arguments, **variables)
        RUN.look_at("standard error of a command", ended.stderr)
        if arguments[0] not in {"token", "exec"}:
            RUN.look_at("standard output of a command", ended.stdout)
        return ended

    def token(self, *arguments: str) -> str:
        ended = self.run("token", *arguments)
        assert (ended.returncode, ended.stderr) == (0, "")
        token = ended.stdout.removesuffix("\n")
        RUN.plant("access_token", token)
        return token

    def sign_in(self, email: str = LUCA, *options: str) -> str:
        """Run `login` to its end; return what it wrote."""
        with server(self.folder, "login", *options, BROWSER="true") as login:
            line = login.line_with("Open http")
            visitor, url = Visitor(), line.split()[1]
            if "--device" in options:
                for device_code in self.emulator.devices._device_by_code:
                    RUN.plant("device_code", device_code)
                code = re.search(r"the code (\d+)", line)
                assert code
                visitor.sign_in_device(url, email, user_code=code[1])
            else:
                requests.get(visitor.sign_in(url, email), timeout=20)
            ended = login.end()
        assert ended.exit_code == 0, ended.output
        RUN.look_at("output of login", re.sub(r"state=\S+", "", ended.output))
        return ended.output

    def sign_in_for_a_moment(self) -> None:
        """Sign in, and let the access token end."""
        self.emulator.change_options(access_token_lifetime_seconds=1)
        self.sign_in()
        self.emulator.change_options(access_token_lifetime_seconds=3600)
        time.sleep(1)

    def refreshes(self) -> int:
        return self.emulator.journal.count(*TOKEN_PATH)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningEmulator]:
    options = Options(requests_per_minute=0, device_interval_seconds=1)
    with RunningEmulator(options=options) as running:
        yield running


@pytest.fixture
def machine(running: RunningEmulator, tmp_path: Path) -> Iterator[Machine]:
    yield Machine(running.emulator, tmp_path)
    look_at_folder(RUN, tmp_path / ".webex-oauth")
    running.emulator.clock.reset()
    running.emulator.faults.clear()


def works(machine: Machine, token: str) -> bool:
    headers = {"authorization": f"Bearer {token}"}
    url = f"{machine.emulator.origin}/v1/people/me"
    return requests.get(url, headers=headers, timeout=20).status_code == 200


@pytest.mark.check("E01")
def test_a_person_signs_in_takes_tokens_and_signs_out(machine: Machine) -> None:
    nobody, none = machine.run("token"), machine.run("grants")
    written = machine.sign_in()
    token = machine.token()
    listed = machine.run("grants")
    out = machine.run("logout")

    assert (nobody.returncode, nobody.stdout) == (77, "")
    assert nobody.stderr.startswith("error: nobody has signed in; let them sign in: `webex-oauth l")
    assert (none.returncode, none.stdout, none.stderr) == (0, "", "Nobody has signed in.\n")
    assert written.endswith(f"Signed in as {LUCA}.\n")
    assert listed.stdout.startswith(f"{LUCA}  active until 20")
    assert (out.returncode, out.stdout) == (0, "")
    assert out.stderr.startswith("Signed out. Webex has confirmed")
    assert not works(machine, token)
    assert machine.run("token").returncode == 77


def test_a_mistake_comes_with_the_misspelling_it_came_from(machine: Machine) -> None:
    env = machine.folder / ".env"
    env.write_text(env.read_text().replace("CLIENT_SECRET=", "CLIENT_SECERT="))

    ended = machine.run("token")

    assert ended.returncode == 1
    assert "did you mean CLIENT_SECRET?" in ended.stderr
    assert "error: CLIENT_SECRET is missing" in ended.stderr


@pytest.mark.check("C01")
def test_a_device_without_a_browser_signs_in_by_a_code(machine: Machine) -> None:
    written = machine.sign_in(MIRA, "--device")

    assert written.endswith(f"Signed in as {MIRA}.\n")
    assert works(machine, machine.token(MIRA))


def test_people_are_told_apart_by_id_address_and_setting(machine: Machine) -> None:
    for email in (LUCA, MIRA):
        machine.sign_in(email, "--no-browser")
    lines = machine.run("grants", "--json").stdout.splitlines()
    grants = {one["email"]: one for one in map(json.loads, lines)}

    ambiguous = machine.run("token")
    by_id = machine.token(grants[MIRA]["person_id"])

    assert ambiguous.returncode == 77
    assert re.search("several people have signed in: .*; name one of them", ambiguous.stderr)
    assert by_id == machine.token(MIRA) != machine.token(LUCA)
    assert machine.run("token", WEBEX_PERSON=MIRA).stdout.strip() == by_id
    assert grants[LUCA]["status"] == "active"
    assert "spark:people_read" in grants[LUCA]["scopes"]
    assert machine.run("logout", MIRA).returncode == 0
    assert machine.token() == machine.token(LUCA)


def test_ten_programs_at_one_expiry_cause_one_refresh(machine: Machine) -> None:
    machine.sign_in_for_a_moment()
    before = machine.refreshes()

    with ThreadPoolExecutor(10) as pool:
        tokens = set(pool.map(lambda _: machine.token(), range(10)))

    assert len(tokens) == 1
    assert works(machine, tokens.pop())
    assert machine.refreshes() == before + 1


def test_what_passes_and_what_needs_the_person_have_exit_statuses_of_their_own(
    machine: Machine,
) -> None:
    machine.sign_in_for_a_moment()
    machine.emulator.faults.add(*TOKEN_PATH, Answer(status=503), times=None)
    later = machine.run("token")
    machine.emulator.faults.clear()
    machine.sign_in_for_a_moment()
    luca = machine.emulator.world.person_by_email(LUCA)
    assert luca
    machine.emulator.withdraw(luca, integration=machine.registered)
    again = machine.run("token")

    assert (later.returncode, later.stdout) == (75, "")
    assert "Webex answered 503" in later.stderr
    assert (again.returncode, again.stdout) == (77, "")
    assert "error: the person must sign in again" in again.stderr
    assert again.stderr.endswith("; sign in with `webex-oauth login`\n")


def test_what_became_of_people_is_printed_and_followed_from_where_it_ended(
    machine: Machine,
) -> None:
    machine.sign_in()
    first = [json.loads(line) for line in machine.run("events").stdout.splitlines()]
    with server(machine.folder, "events", "--follow") as following:
        following.line_with("grant.created")
        time.sleep(1.1)  # events of one second are in no order among processes
        machine.run("logout")
        last = json.loads(following.line_with("grant.revoked"))
        following.send(signal.SIGINT)
        ended = following.end()
    rest = machine.run("events", "--after", str(first[-1]["id"])).stdout.splitlines()

    assert [one["kind"] for one in first] == ["grant.created"]
    assert last["person_id"] == first[0]["person_id"]
    assert [json.loads(line)["kind"] for line in rest] == ["grant.revoked"]
    assert ended.exit_code == 130
    assert "Traceback" not in ended.output


@pytest.mark.check("C07")
def test_a_follower_whose_reader_left_ends(machine: Machine) -> None:
    machine.sign_in()
    with subprocess.Popen(
        [sys.executable, "-m", "webex_oauth", "events", "--follow"],
        cwd=machine.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdout
        assert following.stderr
        assert "grant.created" in following.stdout.readline()
        following.stdout.close()  # and nothing happens that could be printed
        assert following.wait(LIMIT_SECONDS) == 1
        assert following.stderr.read() == ""


@pytest.mark.check("C07")
def test_a_follower_that_is_told_to_end_does_so_in_good_order(machine: Machine) -> None:
    machine.sign_in()
    with server(machine.folder, "events", "--follow") as following:
        following.line_with("grant.created")
        following.send(signal.SIGTERM)
        ended = following.end()

    assert (ended.exit_code, "Traceback" in ended.output) == (0, False)


@pytest.mark.check("C05")
def test_the_token_is_in_the_commands_environment_and_nowhere_else(machine: Machine) -> None:
    machine.sign_in()
    token = machine.token()
    program = "import os; print(os.environ['WEBEX_ACCESS_TOKEN'], os.getppid())"

    ended = machine.run("exec", "--", sys.executable, "-c", program)
    inherited = {**environment(), "WEBEX_ACCESS_TOKEN": "an older one"}
    also = machine.run("exec", LUCA, "--", sys.executable, "-c", program, **inherited)

    assert ended.stdout.split() == [token, str(os.getpid())]
    assert also.stdout.split()[0] == token
    assert ended.stderr == ""


@pytest.mark.parametrize("scopes", ["\N{LATIN SMALL LETTER E WITH ACUTE}", 'a"b'])
@pytest.mark.parametrize("options", [[], ["--device"]])
def test_scopes_that_cannot_be_are_a_mistake_of_the_command_line(
    machine: Machine, options: list[str], scopes: str
) -> None:
    ended = machine.run("login", "--no-browser", *options, "--scopes", scopes)

    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)
    assert "scope" in ended.stderr


def test_signals_and_exit_status_are_the_commands_own(machine: Machine) -> None:
    machine.sign_in()

    assert machine.run("exec", "--", "sh", "-c", "exit 7").returncode == 7
    assert machine.run("exec", "--", "sh", "-c", "kill -TERM $$").returncode == -signal.SIGTERM
    piped = machine.run("exec", "--", "sh", "-c", "yes | head -n 1; exit 3")
    assert (piped.returncode, piped.stdout, piped.stderr) == (3, "y\n", "")
    ignored = machine.run("exec", "--", "grep", "SigIgn:", "/proc/self/status")
    assert not int(ignored.stdout.split()[1], 16) >> (signal.SIGXFSZ - 1) & 1
    assert machine.run("exec", "--", "no-such-command").returncode == 127
    unset = machine.run("exec", "--", "")
    assert (unset.returncode, "name the command to run" in unset.stderr) == (2, True)
    unusable = machine.run("exec", "--", str(machine.folder / ".env"))
    assert (unusable.returncode, unusable.stderr.count("\n")) == (126, 1)


@pytest.mark.check("C05")
def test_no_secret_is_in_any_command_line_or_in_the_files_of_a_sign_in(machine: Machine) -> None:
    seen: list[bytes] = []
    with server(machine.folder, "login", BROWSER="true") as login:
        url = login.line_with("Open http").split()[1]
        seen += command_lines()
        requests.get(Visitor().sign_in(url, LUCA), timeout=20)
        seen += command_lines()
        assert login.end().exit_code == 0
    token = machine.token()
    with server(machine.folder, "exec", "--", "sh", "-c", "echo up; sleep 30") as program:
        program.line_with("up")
        seen += command_lines()

    for secret in (token, machine.registered.client_secret):
        assert not [line for line in seen if secret[:12].encode() in line]
    assert any(b"sleep 30" in line for line in seen)


def command_lines() -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" "))
        except OSError:
            continue
    return found


@pytest.mark.check("C04")
def test_files_are_their_owners_alone_whatever_the_umask(machine: Machine) -> None:
    before = os.umask(0)
    try:
        machine.sign_in()
    finally:
        os.umask(before)

    folder = machine.folder / ".webex-oauth"
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert len(modes) > 2
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


@pytest.mark.check("C04")
@pytest.mark.parametrize("name", ["vault.sqlite", "keys"])
def test_a_file_that_somebody_else_could_have_placed_is_refused(
    machine: Machine, name: str
) -> None:
    machine.sign_in()
    path = machine.folder / ".webex-oauth" / name
    path.rename(machine.folder / name)
    path.symlink_to(machine.folder / name)

    refused = machine.run("token")

    assert (refused.returncode == 0, refused.stdout) == (False, "")
    assert refused.stderr.count("\n") == 1


@pytest.mark.check("C03")
@pytest.mark.check("C07")
@pytest.mark.parametrize("options", [[], ["--device"]])
def test_ctrl_c_ends_a_sign_in_and_leaves_no_port(machine: Machine, options: list[str]) -> None:
    with server(machine.folder, "login", *options, BROWSER="true") as login:
        login.line_with("Open http")
        if not options:
            wait_until_listening(machine.port)
        login.send(signal.SIGINT)
        ended = login.end()

    assert ended.exit_code == 130
    assert "Traceback" not in ended.output
    assert ended.output.strip().count("\n") == 0
    assert not is_listening(machine.port)


@pytest.mark.check("C03")
def test_a_sign_in_that_is_killed_leaves_no_port(machine: Machine) -> None:
    with server(machine.folder, "login", "--no-browser") as login:
        wait_until_listening(machine.port)
        login.send(signal.SIGKILL)
        login.end()

    wait_until_refusing(machine.port)


@pytest.mark.check("C07")
def test_a_port_in_use_a_person_who_declines_and_no_network_are_each_one_line(
    machine: Machine,
) -> None:
    with server(machine.folder, "login", "--no-browser") as first:
        url = first.line_with("Open http").split()[1]
        in_use = machine.run("login", "--no-browser")
        requests.get(Visitor().sign_in(url, LUCA, "decline"), timeout=20)
        declined = first.end()
    env = (machine.folder / ".env").read_text()
    gone = env.replace(machine.emulator.origin, f"http://127.0.0.1:{free_port()}")
    (machine.folder / ".env").write_text(gone)
    unreachable = machine.run("login", "--device")

    assert (in_use.returncode, in_use.stderr.count("\n")) == (1, 1)
    assert "cannot listen on 127.0.0.1" in in_use.stderr
    assert declined.exit_code == 1
    assert declined.output.splitlines()[-1].startswith(
        "error: the authorization server answered 'a"
    )
    assert (unreachable.returncode, unreachable.stderr.count("\n")) == (75, 1), unreachable.stderr


@pytest.mark.check("C07")
def test_a_reader_that_left_is_no_traceback(machine: Machine) -> None:
    machine.sign_in()
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [sys.executable, "-m", "webex_oauth", "token"],
        cwd=machine.folder,
        env=environment(),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    os.close(write)

    assert (ended.returncode, ended.stderr) == (1, "")
