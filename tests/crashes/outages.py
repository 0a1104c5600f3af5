"""Outages of a store, each for as long as a block lasts."""

import asyncio
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest
from contracts import tracing
from contracts.children import children
from services.fault_proxy import FaultProxy, fault_proxy
from services.postgres import running_postgres
from services.redis import running_redis
from waiting import LIMIT_SECONDS, until

SECONDS = 10

Outage: TypeAlias = Callable[[], AbstractContextManager[None]]
Begin: TypeAlias = Callable[[FaultProxy], Coroutine[Any, Any, None]]

NETWORK: dict[str, Begin] = {
    "down": FaultProxy.refuses,
    "hanging": FaultProxy.hangs,
    "answers dropped": FaultProxy.drops_answers,
}
"""What a network does that leaves a store out of reach."""


class ProxyThread:
    """A fault proxy on an event loop of its own, beside tests that wait."""

    def __init__(self, proxy: FaultProxy, loop: asyncio.AbstractEventLoop) -> None:
        self._proxy = proxy
        self._loop = loop

    @property
    def port(self) -> int:
        """Where stores connect."""
        return self._proxy.port

    def let(self, begin: Begin) -> None:
        """Begin a fault, or end it."""
        asyncio.run_coroutine_threadsafe(begin(self._proxy), self._loop).result(SECONDS)

    @contextmanager
    def outage(self, begin: Begin) -> Iterator[None]:
        """Keep up a fault during the block."""
        self.let(begin)
        try:
            yield
        finally:
            self.let(FaultProxy.heals)

    def slow(self, latency_seconds: float) -> AbstractContextManager[None]:
        """Keep every answer back for a while."""
        return self.outage(lambda proxy: proxy.slows(latency_seconds))


@contextmanager
def proxy_thread(port: int) -> Iterator[ProxyThread]:
    """Run a proxy before the server at *port*."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fault-proxy", daemon=True)
    thread.start()
    manager = fault_proxy(port)
    try:
        proxy = asyncio.run_coroutine_threadsafe(manager.__aenter__(), loop).result(SECONDS)
        try:
            yield ProxyThread(proxy, loop)
        finally:
            ended = manager.__aexit__(None, None, None)
            asyncio.run_coroutine_threadsafe(ended, loop).result(2 * SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(SECONDS)
        loop.close()


@contextmanager
def behind_proxy(store_url: str) -> Iterator[tuple[ProxyThread, str]]:
    """Run a proxy before the server of a store; give the URL that leads through it."""
    port = urlsplit(store_url).port
    assert port is not None
    with proxy_thread(port) as proxy:
        yield proxy, store_url.replace(f":{port}/", f":{proxy.port}/")


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Lock a SQLite file from another process during the block."""
    with children(("hold_lock", str(database))) as (holder,):
        try:
            yield
        finally:
            holder.go_on()
            assert holder.line() == "released"


@contextmanager
def away(leave: Callable[[], None], come_back: Callable[[], None]) -> Iterator[None]:
    """Stop a server during the block."""
    leave()
    try:
        yield
    finally:
        come_back()


@dataclass(frozen=True, slots=True)
class StoreServer:
    """A fresh and empty store in a server; each outage lasts as long as its block."""

    url: str
    proxy: ProxyThread
    outages: dict[str, Outage]


@contextmanager
def postgres_store() -> Iterator[StoreServer]:
    """Make one in a PostgreSQL that may be stopped."""
    with running_postgres() as server:
        stops: dict[str, Callable[[], None]] = {
            "restarted": partial(server.stop, signal.SIGINT),
            "restarted at once": partial(server.stop, signal.SIGQUIT),
        }
        with _behind_network(server.url(), stops, server.start) as store:
            yield store


@contextmanager
def redis_store() -> Iterator[StoreServer]:
    """Make one in a Redis that may be stopped."""
    with running_redis() as server:
        stops = {"restarted": server.stop, "restarted at once": server.kill}
        with _behind_network(server.url(), stops, server.start) as store:
            yield store


@contextmanager
def _behind_network(
    url: str, stops: Mapping[str, Callable[[], None]], start: Callable[[], None]
) -> Iterator[StoreServer]:
    outages: dict[str, Outage] = {name: partial(away, stop, start) for name, stop in stops.items()}
    with behind_proxy(url) as (proxy, url_through_it):
        for name, begin in NETWORK.items():
            outages[name] = partial(proxy.outage, begin)
        yield StoreServer(url_through_it, proxy, outages)


STORE_SERVERS = {"postgres": postgres_store, "redis": redis_store}


SYNCS = "fdatasync,fsync"
WRITES = f"pwrite64,{SYNCS}"
SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")
OPEN_TO_ALL, OPEN_TO_NOBODY = "0", "3"


def why_not() -> str | None:
    """Return why no running process can be traced here, or None."""
    scope = SCOPE.read_text().strip() if SCOPE.exists() else OPEN_TO_ALL
    if scope == OPEN_TO_NOBODY or (scope != OPEN_TO_ALL and os.geteuid() != 0):
        return "tracing a running process is not permitted here"
    return tracing.why_not()


def needs_tracing() -> pytest.MarkDecorator:
    """Mark a test that cannot run where no running process can be traced."""
    return pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


@contextmanager
def failing_disk(process_id: int, calls: str) -> Iterator[None]:
    """Fail *calls* of a process with EIO during the block."""
    strace = shutil.which("strace")
    assert strace is not None
    fault = ["-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO"]
    tracer = subprocess.Popen([strace, "-f", "-qq", "-o", "/dev/null", *fault, f"-p{process_id}"])
    try:
        _wait_until_traced(process_id, tracer)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)  # it lets go of the process, which goes on
        tracer.wait(LIMIT_SECONDS)


def _wait_until_traced(process_id: int, tracer: subprocess.Popen[bytes]) -> None:
    until(lambda: _is_traced(process_id, tracer.pid) or tracer.poll() is not None)
    assert tracer.poll() is None, "strace ended"


def _is_traced(process_id: int, tracer_id: int) -> bool:
    """Return whether every thread of a process is traced."""
    threads = Path(f"/proc/{process_id}/task").glob("*/status")
    return all(f"TracerPid:\t{tracer_id}\n" in thread.read_text() for thread in threads)
