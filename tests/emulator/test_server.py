"""The server binds loopback only, knows its port, and ends when told."""

import asyncio
import contextlib
import http.client
import logging
import socket
import time
from urllib.parse import urlsplit

import pytest

from webex_oauth.emulator import BeyondLoopback, Emulator, Hang, RunningEmulator, listen, serve


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104 - refused
def test_nothing_beyond_loopback_is_bound(host: str) -> None:
    with pytest.raises(BeyondLoopback, match="loopback only"):
        listen(host)


def test_beyond_loopback_is_bound_when_told_so() -> None:
    listener = listen("0.0.0.0", allow_beyond_loopback=True)  # noqa: S104 - the point

    with contextlib.closing(listener.socket) as bound:
        assert bound.getsockname()[0] == "0.0.0.0"  # noqa: S104 - the point


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_origin_names_the_host_and_the_real_port(host: str) -> None:
    listener = listen(host)

    with contextlib.closing(listener.socket) as bound:
        assert listener.origin == f"http://{host}:{bound.getsockname()[1]}"


def test_answers_do_not_wait_for_acknowledgements(emulator: Emulator) -> None:
    connection = http.client.HTTPConnection(urlsplit(emulator.origin).netloc, timeout=5)
    began = time.monotonic()

    for _ in range(25):
        connection.request("GET", "/v1/people/me")
        connection.getresponse().read()

    connection.close()
    # A delayed acknowledgement costs 40 ms.
    assert time.monotonic() - began < 25 * 0.04


def test_a_taken_port_is_an_os_error() -> None:
    with contextlib.closing(listen().socket) as bound, pytest.raises(OSError, match="in use"):
        listen(port=bound.getsockname()[1])


def test_a_running_emulator_answers_and_then_does_not() -> None:
    with RunningEmulator() as running:
        address = urlsplit(running.origin).netloc
        connection = http.client.HTTPConnection(address, timeout=5)
        connection.request("GET", "/")
        assert connection.getresponse().status == 200
        connection.close()

    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(address, timeout=5).connect()


def test_stopping_waits_for_no_hanging_request(caplog: pytest.LogCaptureFixture) -> None:
    with RunningEmulator() as running:
        running.emulator.faults.add("*", "*", Hang(limit_seconds=60))
        address = urlsplit(running.origin)
        assert address.port is not None
        waiting = socket.create_connection((address.hostname, address.port), timeout=5)
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert_arrived(running.emulator)
        began = time.monotonic()

    waiting.close()
    assert time.monotonic() - began < 10
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_an_emulator_is_served_until_stopped() -> None:
    async def serve_for_a_moment() -> None:
        listener, stop = listen(), asyncio.Event()
        serving = asyncio.create_task(serve(Emulator(listener.origin), listener, stop))
        reader, writer = await asyncio.open_connection(*listener.socket.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
        stop.set()
        await serving

    asyncio.run(asyncio.wait_for(serve_for_a_moment(), timeout=5))


def assert_arrived(emulator: Emulator) -> None:
    ends_at = time.monotonic() + 5
    while not emulator.journal.count():
        assert time.monotonic() < ends_at
        time.sleep(0.001)
