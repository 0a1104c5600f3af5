"""Store servers of a test's own, behind a network of its own: both can fail."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from crashes.outages import NETWORK, Outage, ProxyThread, away, behind_proxy
from services.postgres import running_postgres
from services.redis import running_redis


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
