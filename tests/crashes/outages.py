"""Outages of a store, each for as long as a block lasts."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from contracts.children import children
from services.fault_proxy import FaultProxy, fault_proxy

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
        """Let a fault last as long as the block."""
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
    """Let another process have a SQLite file for itself."""
    with children(("hold_lock", str(database))) as (holder,):
        try:
            yield
        finally:
            holder.go_on()
            assert holder.line() == "released"


@contextmanager
def away(leave: Callable[[], None], come_back: Callable[[], None]) -> Iterator[None]:
    """Let a server be stopped until the block is over."""
    leave()
    try:
        yield
    finally:
        come_back()
