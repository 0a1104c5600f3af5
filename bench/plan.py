"""How long and where to measure."""

import os
from dataclasses import dataclass

from bench.processes import Cores


@dataclass(frozen=True, slots=True)
class Layout:
    """Which cores the servers get, and which the load generator and the stub Webex."""

    name: str
    server_cores: Cores
    load_cores: Cores


@dataclass(frozen=True, slots=True)
class Plan:
    """How often and how long each figure is taken; figures are medians over the rounds.

    The stores are filled to each of `grant_counts` in turn.
    """

    concurrencies: tuple[int, ...]
    rounds: int
    warm_up_seconds: float
    seconds: float
    priming_seconds: float
    start_ups: int
    long_lists: int
    first_sessions: int
    sessions: int
    grant_counts: tuple[int, ...]
    refreshes: int


BUSY = 32

FULL = Plan(
    concurrencies=(1, BUSY),
    rounds=3,
    warm_up_seconds=0.5,
    seconds=2.0,
    priming_seconds=8.0,
    start_ups=5,
    long_lists=3,
    first_sessions=2_000,
    sessions=20_000,
    grant_counts=(1_000, 100_000, 1_000_000),
    refreshes=500,
)
QUICK = Plan(
    concurrencies=(BUSY,),
    rounds=1,
    warm_up_seconds=0.2,
    seconds=0.6,
    priming_seconds=0.5,
    start_ups=1,
    long_lists=1,
    first_sessions=200,
    sessions=800,
    grant_counts=(200, 2_000),
    refreshes=30,
)


def unpinned() -> Layout:
    """Let every process run wherever the system puts it."""
    cores = frozenset(os.sched_getaffinity(0))
    return Layout("unpinned", cores, cores)


def layouts() -> list[Layout]:
    """List the layouts this machine allows: pinning takes two cores."""
    server, *others = sorted(os.sched_getaffinity(0))
    if not others:
        return [unpinned()]
    return [unpinned(), Layout("pinned", frozenset({server}), frozenset(others[:1]))]
