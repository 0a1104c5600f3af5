"""Several machines on one store: addresses of this machine, each with a server of its own."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest
import requests
from edges.command import Server, env_text, server
from edges.load import Load, constant_load
from edges.visiting import MIRA, sign_in, sign_out
from services.faketime import faked_clock
from services.haproxy import running_haproxy
from services.postgres import PostgresServer, schema_of
from services.processes import free_port
from waiting import until

from webex_oauth.emulator import Emulator, RunningEmulator, Visitor
from webex_oauth.flows.cookies import SESSION

MACHINES = ("127.0.0.2", "127.0.0.3")
FRONT = "127.0.0.1"
SECONDS = 30


@dataclass(frozen=True, slots=True)
class Site:
    """What machines share: the settings, and so the store and the keys."""

    folder: Path
    emulator: Emulator
    port: int

    @contextmanager
    def machine(self, address: str, **variables: str) -> Iterator[Server]:
        """Run one machine until the block ends."""
        with server(self.folder, "serve", WEBEX_HOST=address, **variables) as process:
            process.line_with("Open ")
            wait_until_ready(address, self.port)
            yield process


@pytest.fixture
def site(tmp_path: Path, postgres: PostgresServer) -> Iterator[Site]:
    with RunningEmulator() as running, schema_of(postgres) as schema:
        port = free_port()
        more = {"WEBEX_STORE_URL": postgres.url(schema=schema)}
        (tmp_path / ".env").write_text(env_text(running.emulator, port, more))
        yield Site(tmp_path, running.emulator, port)


def get(address: str, port: int, path: str, browser: requests.Session | None = None) -> int:
    """Ask one machine under the name that is public; return the status."""
    browser = browser or requests.Session()
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)
    with requests.get(
        f"http://{address}:{port}{path}",
        headers={"host": f"localhost:{port}", "cookie": cookies},
        allow_redirects=False,
        timeout=SECONDS,
    ) as answer:
        return answer.status_code


def wait_until_ready(address: str, port: int) -> None:
    def is_ready() -> bool:
        try:
            return get(address, port, "/readyz") == HTTPStatus.OK
        except requests.ConnectionError:
            return False

    until(is_ready)


@pytest.mark.check("H08")
@pytest.mark.timeout(120)
def test_no_request_is_lost_while_machines_behind_a_proxy_are_restarted_in_turn(
    site: Site,
) -> None:
    with ExitStack() as exits:
        machines = {one: exits.enter_context(site.machine(one)) for one in MACHINES}
        proxy = exits.enter_context(running_haproxy(FRONT, site.port, MACHINES))
        for address in MACHINES:
            proxy.wait_until(address, "UP")
        load = Load("localhost", site.port, "/logout", signed_in_headers(site))
        with constant_load(load, client_count=6):
            for address, machine in machines.items():
                load.wait_for(200)
                machine.send(signal.SIGTERM)
                ended = machine.end()
                exits.enter_context(site.machine(address))
                proxy.wait_until(address, "UP")
                assert ended.exit_code == 0, ended.output
            load.wait_for(200)

    assert load.failures == []


@pytest.mark.check("H08")
def test_a_machine_that_stops_says_first_that_it_is_not_ready(site: Site) -> None:
    address = MACHINES[0]
    with site.machine(address) as machine:
        machine.send(signal.SIGTERM)
        statuses = set[int]()
        while 503 not in statuses:
            statuses.add(get(address, site.port, "/readyz"))
        alive = get(address, site.port, "/healthz")
        ended = machine.end()

    assert alive == 200
    assert ended.exit_code == 0


@pytest.mark.check("D05")
def test_a_sign_out_on_one_machine_holds_on_the_other_at_once(site: Site) -> None:
    with site.machine(FRONT), site.machine(MACHINES[0]):
        browser = sign_in(site.port)
        cookies = browser.cookies.copy()
        before = get(MACHINES[0], site.port, "/logout", browser)
        sign_out(browser, site.port)
        browser.cookies = cookies
        after = get(MACHINES[0], site.port, "/logout", browser)

    assert (before, after) == (200, 303)


@pytest.mark.check("H13")
@pytest.mark.parametrize("steps", [("+7d",), ("-7d",), ("+7d", "-7d", "+0")])
def test_a_machine_whose_clock_is_wrong_or_set_works_as_the_others(
    steps: tuple[str, ...], site: Site
) -> None:
    clock = site.folder / "clock"
    with site.machine(FRONT), site.machine(MACHINES[0], **faked_clock(clock, steps[0])):
        browser = sign_in(site.port)
        site.emulator.journal.clear()
        found = []
        for step in steps:
            clock.write_text(step)
            found += [get(one, site.port, "/listrooms", browser) for one in (MACHINES[0], FRONT)]

    assert set(found) == {200}
    assert site.emulator.journal.count("POST", "/v1/access_token") == 0


@pytest.mark.check("H13")
def test_a_sign_in_that_a_wrong_clock_began_is_completed_elsewhere(site: Site) -> None:
    clock = site.folder / "clock"
    with site.machine(FRONT), site.machine(MACHINES[0], **faked_clock(clock, "-7d")):
        browser = requests.Session()
        started = browser.get(
            f"http://{MACHINES[0]}:{site.port}/login",
            headers={"host": f"localhost:{site.port}"},
            allow_redirects=False,
            timeout=SECONDS,
        )
        callback = Visitor().sign_in(started.headers["location"], MIRA, "accept")
        cookies = "; ".join(f"{one.name}={one.value}" for one in browser.cookies)
        answer = requests.get(
            callback, headers={"cookie": cookies}, allow_redirects=False, timeout=SECONDS
        )

    assert answer.status_code == 303
    assert any(one.name.startswith(SESSION) for one in answer.cookies)


def signed_in_headers(site: Site) -> dict[str, str]:
    browser = sign_in(site.port)
    return {"cookie": "; ".join(f"{one.name}={one.value}" for one in browser.cookies)}
