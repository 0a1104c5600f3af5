"""Several workers: no request is lost when they change, and none is missed when one dies."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from edges.command import (
    Server,
    call,
    env_text,
    free_port,
    run,
    serving,
    wait_until_refusing,
)
from edges.load import Load, constant_load
from edges.visiting import sign_in
from waiting import until

from webex_oauth.emulator import RunningEmulator

LIMIT_SECONDS = 30
WORKERS = ("--workers", "2")


def workers_of(process: Server) -> list[int]:
    """Give the ids of the processes that *process* has started and that live."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children]


def wait_until_renewed(process: Server, before: list[int]) -> None:
    """Wait until two workers are there and none of them is of *before*."""
    until(lambda: len(new := set(workers_of(process))) == 2 and not new & set(before))


def is_alive(process_id: int) -> bool:
    return Path(f"/proc/{process_id}").exists()


@contextlib.contextmanager
def standing_still(process_id: int) -> Iterator[None]:
    """Let a process stand still for as long as the block lasts."""
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGCONT)


@pytest.mark.check("H08")
def test_no_request_is_lost_while_all_workers_are_renewed_under_load(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        load = Load("localhost", port, "/healthz")
        with constant_load(load, client_count=8):
            load.wait_for(200)
            before = workers_of(process)
            process.send(signal.SIGHUP)
            wait_until_renewed(process, before)
            load.wait_for(200)

    assert load.failures == []
    assert load.farewell_count > 0


@pytest.mark.check("H08")
def test_no_request_is_lost_when_a_worker_is_told_to_end(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        load = Load("localhost", port, "/healthz")
        with constant_load(load, client_count=8):
            load.wait_for(200)
            ending = workers_of(process)[0]
            os.kill(ending, signal.SIGTERM)
            until(lambda: len(now := workers_of(process)) == 2 and ending not in now)
            load.wait_for(200)

    assert load.failures == []


@pytest.mark.check("H07")
def test_a_worker_that_is_killed_is_replaced_while_the_other_one_serves(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        killed = workers_of(process)[0]

        os.kill(killed, signal.SIGKILL)
        answer = requests.get(f"http://localhost:{port}/healthz", timeout=LIMIT_SECONDS)
        until(lambda: len(now := workers_of(process)) == 2 and killed not in now)

        assert answer.status_code == 200
        assert f'"worker": {killed}, "exit_code": -9' in process.line_with("a worker ended")


@pytest.mark.check("D05")
def test_workers_share_sessions_and_sign_outs(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        first, second = workers_of(process)
        with standing_still(second):
            browser = sign_in(port)
            browser.close()
        with standing_still(first):
            signed_in = ask_to_sign_out(browser, port)
            sign_out(browser, port, signed_in.text)
            browser.close()
        with standing_still(second):
            signed_out = ask_to_sign_out(browser, port)

    assert (signed_in.status_code, signed_out.status_code) == (200, 303)


def ask_to_sign_out(browser: requests.Session, port: int) -> requests.Response:
    """Ask for a page that only a signed-in browser is shown."""
    page = f"http://localhost:{port}/logout"
    return browser.get(page, allow_redirects=False, timeout=LIMIT_SECONDS)


def sign_out(browser: requests.Session, port: int, page: str) -> None:
    """Sign out, and keep the cookie that the browser is told to forget, as a thief would."""
    origin, cookies = f"http://localhost:{port}", browser.cookies.copy()
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = browser.post(
        f"{origin}/logout",
        {"csrf_token": token},
        headers={"origin": origin},
        timeout=LIMIT_SECONDS,
    )
    assert answer.status_code == 200
    browser.cookies = cookies


@pytest.mark.check("H08")
def test_sigterm_ends_all_workers_cleanly(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        workers = workers_of(process)
        process.send(signal.SIGTERM)
        ended = process.end()

    assert ended.exit_code == 0
    assert "error" not in ended.output.lower()
    assert not any(map(is_alive, workers))
    wait_until_refusing(port)


@pytest.mark.check("H08")
def test_a_second_signal_ends_all_workers_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, _):
        workers = workers_of(process)
        with standing_still(workers[0]):
            process.send(signal.SIGTERM)
            until(lambda: not is_alive(workers[1]))
            process.send(signal.SIGTERM)
            ended = process.end()
            until(lambda: not is_alive(workers[0]))

    assert ended.exit_code == 128 + signal.SIGTERM


@pytest.mark.check("H07")
def test_workers_do_not_outlive_who_started_them(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        first, second = workers_of(process)
        os.kill(second, signal.SIGKILL)
        until(lambda: len(now := workers_of(process)) == 2 and second not in now)
        workers = workers_of(process)

        process.kill()

        assert first in workers
        until(lambda: not any(map(is_alive, workers)))
        wait_until_refusing(port)


@pytest.mark.check("H08")
def test_new_workers_bring_the_new_settings(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        settings = tmp_path / ".env"
        settings.write_text(f"{settings.read_text()}\nWEBEX_SCOPES=spark:people_read\n")
        before = workers_of(process)

        process.send(signal.SIGHUP)
        wait_until_renewed(process, before)
        answer = requests.get(
            f"http://localhost:{port}/login", allow_redirects=False, timeout=LIMIT_SECONDS
        )

    assert "scope=spark%3Apeople_read&" in answer.headers["location"]


@pytest.mark.check("H08")
def test_settings_with_a_mistake_leave_the_workers_as_they_are(tmp_path: Path) -> None:
    with serving(tmp_path, *WORKERS) as (process, _, port):
        before = workers_of(process)
        (tmp_path / ".env").write_text("")

        process.send(signal.SIGHUP)
        process.line_with("the workers stay")
        answer = requests.get(f"http://localhost:{port}/healthz", timeout=LIMIT_SECONDS)

        assert workers_of(process) == before
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
        serving_ids = workers_of(process) or [process.pid]
        limits = [Path(f"/proc/{one}/limits").read_text() for one in serving_ids]

    for text in limits:
        rows = {row[:26].strip(): row[26:].split() for row in text.splitlines()}
        soft, hard, _ = rows["Max open files"]
        assert soft == hard or int(soft) >= 65_536
        assert rows["Max core file size"][0] == "0"
