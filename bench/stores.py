"""What each kind of store costs: reading at growing numbers of grants, and refreshing."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from sqlite3 import sqlite_version
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Final

import pytest
import uvloop
from msgspec import Struct
from msgspec.structs import replace
from services.postgres import running_postgres
from services.redis import running_redis

from bench.load import Window
from bench.measures import BUSY, Plan
from bench.people import add_people, read_person, refresh_seconds, request_seconds
from bench.report import Finding
from bench.servers import Layout, cpu_seconds, family, in_process, settings, upstream
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings

FLAT: Final = 1.5
"""A figure is flat while it stays below so many times the one at the fewest grants."""
FILL_SECONDS: Final = 3 * 3600.0
UNTIMED_REFRESHES: Final = 5
REFRESHES: Final = (
    "token request alone",
    "refresh with claim and commit",
    "what the refresh adds",
)
# The servers keep what they confirm, as for real people; the tests' own forget.
POSTGRES: Final = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
REDIS: Final = {"appendfsync": "always", "auto-aof-rewrite-percentage": "0"}

Variables = Mapping[str, str]


class Place(Struct, frozen=True):
    """A store: its URL, what keeps it, and the process above its server's, if it has one."""

    url: str
    server: str
    pid: int | None = None


class Figure(Struct, frozen=True):
    """What a line of the table tells; `grants` is how many there were, where that matters."""

    subject: str
    unit: str
    grants: int = 0


@contextmanager
def sqlite(folder: Path) -> Iterator[Place]:
    """Name a new file."""
    yield Place(f"sqlite:///{folder}/vault.sqlite", f"SQLite {sqlite_version}")


@contextmanager
def postgres(_: Path) -> Iterator[Place]:
    """Run PostgreSQL."""
    with running_postgres(**POSTGRES) as server:
        with server.connect() as connection:
            version = connection.info.parameter_status("server_version")
        yield Place(server.url(), f"PostgreSQL {version}", pid_of("postgres"))


@contextmanager
def redis(_: Path) -> Iterator[Place]:
    """Run Redis."""
    with running_redis(**REDIS) as server:
        version = server.ask("INFO", "server")["redis_version"]
        yield Place(server.url(), f"Redis {version}", pid_of("redis-server"))


def pid_of(program: str) -> int:
    """Return the first process below this one that runs *program*."""
    return next(
        pid for pid in family(os.getpid()) if Path(f"/proc/{pid}/comm").read_text()[:-1] == program
    )


KINDS: Final = {"sqlite": sqlite, "postgres": postgres, "redis": redis}


def measure_stores(layout: Layout, plan: Plan, facts: list[str]) -> Iterator[Finding]:
    """Measure every kind of store that this machine can run; add to *facts* which it was."""
    figures: dict[Figure, dict[str, float]] = {}
    for kind, running in KINDS.items():
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="webex-oauth-bench-")))
            try:
                place = stack.enter_context(running(folder))
            except pytest.skip.Exception as reason:
                facts.append(f"{kind} was not measured: {reason}")
                continue
            facts.append(place.server)
            origin = stack.enter_context(upstream(layout.load_cores))
            variables = {**settings(origin, 8000, folder), "WEBEX_STORE_URL": place.url}
            for figure, value in take(variables, place.pid, layout, plan):
                figures.setdefault(figure, {})[kind] = value
    for figure, by_kind in figures.items():
        fewest = figures.get(replace(figure, grants=plan.grant_counts[0]), {})
        verdict = flatness(by_kind, fewest, plan.grant_counts[0]) if figure.grants else ""
        grants = f", {figure.grants:,} grants" if figure.grants else ""
        yield Finding(f"{figure.subject}{grants}", layout.name, figure.unit, by_kind, verdict)


def flatness(figures: Mapping[str, float], fewest: Mapping[str, float], grants: int) -> str:
    """Return whether no store's figure has grown since the fewest grants."""
    if figures == fewest:
        return ""
    is_met = all(figure <= FLAT * fewest[kind] for kind, figure in figures.items())
    return f"{'met' if is_met else 'MISSED'} (at most {FLAT:g} of that at {grants:,})"


def take(
    variables: Variables, database_pid: int | None, layout: Layout, plan: Plan
) -> Iterator[tuple[Figure, float]]:
    """Fill a store step by step; read after each, and refresh after the first."""
    cores, filled = layout.load_cores, 0
    refreshes: tuple[float, ...] = ()
    for count in plan.grant_counts:
        in_process(cores, fill, variables, range(filled, count), limit_seconds=FILL_SECONDS)
        filled = count
        for concurrency in (1, BUSY):
            subject = f"session and token, concurrency {concurrency}"
            job = (read, variables, count, concurrency, plan.window, database_pid)
            taken = [in_process(cores, *job) for _ in range(plan.rounds)]
            for unit, one in zip(("µs/read", "CPU µs/read"), zip(*taken, strict=True), strict=True):
                yield Figure(subject, unit, count), median(one)
        refreshes = refreshes or in_process(cores, refresh, variables, plan.refreshes)
    for subject, seconds in zip(REFRESHES, refreshes, strict=True):
        yield Figure(subject, "ms"), seconds * 1e3


def fill(variables: Variables, serials: range) -> None:
    """Put people into the store."""

    async def run() -> None:
        async with open_integration(Settings.from_env(None, variables)) as integration:
            await add_people(integration, serials)

    uvloop.run(run())


def read(
    variables: Variables, grants: int, concurrency: int, window: Window, database_pid: int | None
) -> tuple[float, float]:
    """Read random people in a closed loop; return the time and the CPU time of one, in µs."""
    serials = Random(20)  # noqa: S311 - anybody may guess these

    def meters() -> tuple[float, float]:
        databases = 0.0 if database_pid is None else cpu_seconds(database_pid)
        return perf_counter(), process_time() + databases

    async def run() -> tuple[float, float]:
        async def read_until(end: float) -> int:
            count = 0
            while count == 0 or perf_counter() < end:
                await read_person(integration, serials.randrange(grants))
                count += 1
            return count

        async def read_for(seconds: float) -> int:
            end = perf_counter() + seconds
            return sum(await asyncio.gather(*(read_until(end) for _ in range(concurrency))))

        async with open_integration(Settings.from_env(None, variables)) as integration:
            await read_for(window.warm_up_seconds)
            opened = meters()
            count = await read_for(window.seconds)
            closed = meters()
        return (closed[0] - opened[0]) / count * 1e6, (closed[1] - opened[1]) / count * 1e6

    return uvloop.run(run())


def refresh(variables: Variables, count: int) -> tuple[float, float, float]:
    """Refresh with and without a vault, in turns; return both medians and what the vault adds."""

    async def run() -> tuple[float, float, float]:
        requests, refreshes = [], []
        async with open_integration(Settings.from_env(None, variables)) as integration:
            for turn in range(UNTIMED_REFRESHES + count):
                requests.append(await request_seconds(integration, turn))
                refreshes.append(await refresh_seconds(integration, turn))
        bare, whole = median(requests[UNTIMED_REFRESHES:]), median(refreshes[UNTIMED_REFRESHES:])
        return bare, whole, whole - bare

    return uvloop.run(run())
