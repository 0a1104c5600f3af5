"""Several workers: no request is lost when they change, and none is missed when one dies."""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from edges.command import Server, call, env_text, run, server, serving, wait_until_refusing
from edges.load import Load, constant_load
from edges.visiting import sign_in, sign_out
from services.processes import free_port
from waiting import until

from webex_oauth.emulator import RunningEmulator

LIMIT_SECONDS = 30
WORKERS = ("--workers", "2")


def wait_until_renewed(process: Server, before: list[int]) -> None:
    """Wait until as many workers are there as *before*, and none of them."""
    count = len(before)
    until(lambda: len(new := set(process.worker_ids)) == count and not new & set(before))


def is_alive(process_id: int) -> bool:
    return Path(f"/proc/{process_id}").exists()


@contextlib.contextmanager
def standing_still(process_id: int) -> Iterator[None]:
    """Make a process stand still for as long as the block lasts."""
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGCONT)


@contextlib.contextmanager
def ignoring(number: signal.Signals) -> Iterator[None]:
    """Make what is started in the block ignore a signal, as nohup does."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.check("H08")
@pytest.mark.parametrize("options", [(), WORKERS], ids=["alone", "workers"])
def test_no_request_is_lost_and_readiness_stays_while_workers_are_renewed_under_load(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    with serving(tmp_path, *options) as (process, _, port):
        load = Load("localhost", port, "/readyz")
        with constant_load(load, client_count=8):
            load.wait_for(200)
            before = process.worker_ids
            process.send(signal.SIGHUP)
            wait_until_renewed(process, before)
            load.wait_for(200)

    assert load.failures == []
    assert load.farewell_count > 0


@pytest.mark.check("H08")
def test_a_hangup_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    with contextlib.ExitStack() as exits:
        with ignoring(signal.SIGHUP):
            process, _, _ = exits.enter_context(serving(tmp_path, *WORKERS))
        ending, staying = process.worker_ids

        process.send(signal.SIGHUP)
        os.kill(ending, signal.SIGTERM)
        until(lambda: len(now := process.worker_ids) == 2 and ending not in now)

        assert staying in process.worker_ids


@pytest.mark.check("H08")
@pytest.mark.parametrize("options", [(), WORKERS], ids=["alone", "workers"])
def test_a_server_that_stops_says_so_while_it_takes_connections(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    with serving(tmp_path, *options) as (process, _, port):
        ready = f"http://localhost:{port}/readyz"
        before = requests.get(ready, timeout=LIMIT_SECONDS)
        process.send(signal.SIGTERM)
        until(lambda: requests.get(ready, timeout=LIMIT_SECONDS).status_code != 200)
        after = requests.get(ready, timeout=LIMIT_SECONDS)

    assert (before.status_code, after.status_code) == (200, 503)


@pytest.mark.check("H07")
def test_a_server_takes_the_place_of_one_that_was_killed(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        process.kill()

        with server(tmp_path, "serve") as successor:
            successor.line_with("Open ")
            answer = requests.get(f"http://localhost:{port}/healthz", timeout=LIMIT_SECONDS)

    assert answer.status_code == 200


@pytest.mark.check("H07")
def test_an_address_that_is_taken_is_waited_for(tmp_path: Path) -> None:
    with RunningEmulator() as running, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / ".env").write_text(env_text(running.emulator, port))
        with server(tmp_path, "serve") as process:
            process.line_with(f"127.0.0.1:{port} is taken")
            taken.close()
            process.line_with("Open ")


@pytest.mark.check("H08")
def test_no_request_is_lost_when_a_worker_is_told_to_end(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        load = Load("localhost", port, "/healthz")
        with constant_load(load, client_count=8):
            load.wait_for(200)
            ending = process.worker_ids[0]
            os.kill(ending, signal.SIGTERM)
            until(lambda: len(now := process.worker_ids) == 2 and ending not in now)
            load.wait_for(200)

    assert load.failures == []


@pytest.mark.check("H07")
def test_a_worker_that_is_killed_is_replaced_while_the_other_one_serves(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        killed = process.worker_ids[0]

        os.kill(killed, signal.SIGKILL)
        answer = requests.get(f"http://localhost:{port}/healthz", timeout=LIMIT_SECONDS)
        until(lambda: len(now := process.worker_ids) == 2 and killed not in now)

        assert answer.status_code == 200
        assert f'"worker": {killed}, "exit_code": -9' in process.line_with("exited with code")


@pytest.mark.check("D05")
def test_workers_share_sessions_and_sign_outs(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        first, second = process.worker_ids
        with standing_still(second):
            browser = sign_in(port)
            browser.close()
        with standing_still(first):
            signed_in = ask_to_sign_out(browser, port)
            cookies = browser.cookies.copy()
            sign_out(browser, port)
            browser.cookies = cookies  # as a thief has them
            browser.close()
        with standing_still(second):
            signed_out = ask_to_sign_out(browser, port)

    assert (signed_in.status_code, signed_out.status_code) == (200, 303)


def ask_to_sign_out(browser: requests.Session, port: int) -> requests.Response:
    """Ask for a page that only a signed-in browser is shown."""
    page = f"http://localhost:{port}/logout"
    return browser.get(page, allow_redirects=False, timeout=LIMIT_SECONDS)


@pytest.mark.check("H08")
def test_sigterm_ends_all_workers_cleanly(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        workers = process.worker_ids
        process.send(signal.SIGTERM)
        ended = process.end()

    assert ended.exit_code == 0
    assert "error" not in ended.output.lower()
    assert not any(map(is_alive, workers))
    wait_until_refusing(port)


@pytest.mark.check("H08")
def test_a_second_signal_ends_all_workers_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, _):
        workers = process.worker_ids
        with standing_still(workers[0]):
            process.send(signal.SIGTERM)
            until(lambda: not is_alive(workers[1]))
            process.send(signal.SIGTERM)
            ended = process.end()
            until(lambda: not is_alive(workers[0]))

    assert ended.exit_code == 128 + signal.SIGTERM


@pytest.mark.check("H07")
def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        first, second = process.worker_ids
        os.kill(second, signal.SIGKILL)
        until(lambda: len(now := process.worker_ids) == 2 and second not in now)
        workers = process.worker_ids

        process.kill()

        assert first in workers
        until(lambda: not any(map(is_alive, workers)))
        wait_until_refusing(port)


@pytest.mark.check("H08")
def test_new_workers_bring_the_new_settings(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        settings = tmp_path / ".env"
        settings.write_text(f"{settings.read_text()}\nWEBEX_SCOPES=spark:people_read\n")
        before = process.worker_ids

        process.send(signal.SIGHUP)
        wait_until_renewed(process, before)
        answer = requests.get(
            f"http://localhost:{port}/login", allow_redirects=False, timeout=LIMIT_SECONDS
        )

    assert "scope=spark%3Apeople_read&" in answer.headers["location"]


@pytest.mark.check("H08")
def test_settings_with_a_mistake_leave_the_workers_as_they_are(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        before = process.worker_ids
        (tmp_path / ".env").write_text("")

        process.send(signal.SIGHUP)
        process.line_with("the workers stay")
        answer = requests.get(f"http://localhost:{port}/healthz", timeout=LIMIT_SECONDS)

        assert process.worker_ids == before
        assert answer.status_code == 200
        assert "error: no client id" in process.output


@pytest.mark.check("F04")
def test_what_no_worker_can_start_with_is_told_once(tmp_path: Path) -> None:
    with RunningEmulator() as running:
        keys = tmp_path / "keys"
        keys.mkdir(mode=0o700)
        (keys / "keys").write_text("changeme")
        (keys / "keys").chmod(0o600)
        more = {"WEBEX_KEYS_FILE": str(keys / "keys")}
        (tmp_path / ".env").write_text(env_text(running.emulator, free_port(), more))

        ended = run(tmp_path, "serve", *WORKERS)

    assert ended.returncode == 1
    assert ended.stderr.count("error: ") == 1
    assert "Traceback" not in ended.stderr


def test_several_workers_need_a_store_that_they_share() -> None:
    told = call("serve", *WORKERS, CLIENT_SECRET="5ecre7" * 10, WEBEX_STORE_URL="memory:")

    assert told.exit_code == 1
    assert "each process has for itself" in told.output


@pytest.mark.check("E03", "H11")
@pytest.mark.parametrize("options", [(), WORKERS], ids=["alone", "workers"])
def test_a_server_may_have_many_connections_and_leaves_no_core(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    with serving(tmp_path, *options) as (process, _, _):
        serving_ids = process.worker_ids or [process.pid]
        limits = [Path(f"/proc/{one}/limits").read_text() for one in serving_ids]

    for text in limits:
        rows = {row[:26].strip(): row[26:].split() for row in text.splitlines()}
        soft, hard, _ = rows["Max open files"]
        assert soft == hard or int(soft) >= 65_536
        assert rows["Max core file size"][0] == "0"
