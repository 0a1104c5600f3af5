"""The server binds loopback only, knows its port, and ends when told."""

import contextlib
import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from services.processes import free_port
from waiting import LIMIT_SECONDS, until

from webex_oauth import emulator as emulator_package
from webex_oauth.emulator import (
    BeyondLoopback,
    CannotListen,
    Hang,
    Options,
    RunningEmulator,
    bind,
)
from webex_oauth.emulator.server import Listeners

LOSES_ITS_TEMPLATES = """
import shutil
from pathlib import Path
from urllib.request import urlopen

from webex_oauth import emulator

with emulator.RunningEmulator() as running:
    shutil.rmtree(Path(emulator.__file__).parent / "templates")
    print(urlopen(running.origin).status)
"""


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104 - refused
def test_nothing_beyond_loopback_is_bound(host: str) -> None:
    with pytest.raises(BeyondLoopback, match="loopback only"):
        bind(host)


def test_beyond_loopback_is_bound_when_told_so() -> None:
    with listening("0.0.0.0", allow_beyond_loopback=True) as listeners:  # noqa: S104 - the point
        [bound] = listeners.front_door

        assert bound.getsockname()[0] == "0.0.0.0"  # noqa: S104 - the point
        # No client can ask for 0.0.0.0.
        front_door = listeners.origins.front_door.configured
        assert front_door == f"http://localhost:{bound.getsockname()[1]}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_host_is_bound_at_each_of_its_addresses_and_named_in_the_origins(host: str) -> None:
    with listening(host) as listeners:
        origins = listeners.origins
        pairs = ((listeners.front_door, origins.front_door), (listeners.broker, origins.broker))
        for bound, origin in pairs:
            names = [one.getsockname()[:2] for one in bound]
            [port] = {port for _, port in names}
            assert {address for address, _ in names} == addresses_of(host)
            assert origin.configured == f"http://{host}:{port}"
            for one in bound:
                assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "answers would wait"
        assert origins.front_door != origins.broker


def test_the_broker_gives_way_unless_its_port_was_chosen() -> None:
    with listening(port=free_port()) as first:
        first.open()
        second = bind(port=free_port())
        second.close()
        assert first.origins.broker != second.origins.broker
        taken = first.broker[0].getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            bind(port=free_port(), broker_port=taken)


def test_nothing_is_accepted_before_the_listeners_are_opened() -> None:
    with listening("localhost") as listeners:
        bound = (*listeners.front_door, *listeners.broker)
        names = [one.getsockname()[:2] for one in bound]
        for name in names:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(name, timeout=LIMIT_SECONDS)

        listeners.open()

        for name in names:
            socket.create_connection(name, timeout=LIMIT_SECONDS).close()


def test_a_port_that_another_program_opened_first_is_told() -> None:
    port = free_port()
    with listening(port=port) as late, listening(port=port) as quick:
        quick.open()

        with pytest.raises(CannotListen, match=f"127.0.0.1:{port} .*in use"):
            late.open()


def test_an_emulator_that_cannot_be_made_frees_its_ports() -> None:
    port = free_port()

    with pytest.raises(ValueError, match="page_cap"):
        RunningEmulator(port=port, options=Options(page_cap=0))

    with listening(port=port):
        pass


def test_stopping_waits_for_no_hanging_request(caplog: pytest.LogCaptureFixture) -> None:
    with RunningEmulator() as running:
        running.emulator.faults.add("*", "*", Hang(limit_seconds=60))
        address = urlsplit(running.origin)
        assert address.port is not None
        waiting = socket.create_connection((address.hostname, address.port), timeout=5)
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(running.emulator.journal.count)

    waiting.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port), timeout=5)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@contextlib.contextmanager
def listening(host: str = "127.0.0.1", **options: Any) -> Iterator[Listeners]:
    with contextlib.closing(bind(host, **options)) as listeners:
        yield listeners


def addresses_of(host: str) -> set[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return {str(address[0]) for *_, address in found}


def test_pages_are_answered_while_the_files_behind_them_are_replaced(tmp_path: Path) -> None:
    package = Path(emulator_package.__file__).parent.parent
    shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("*.pyc"))

    answered = subprocess.run(
        [sys.executable, "-c", LOSES_ITS_TEMPLATES],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert answered.stdout == "200\n", answered.stderr
