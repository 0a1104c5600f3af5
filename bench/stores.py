"""What each kind of store costs: reading at growing numbers of grants, and refreshing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.findings import Finding, Goal
from bench.plan import BUSY, Layout, Plan
from bench.vault_jobs import Filled, FillJob, Reads, ReadsJob, Refreshes, RefreshesJob
from bench.vault_stage import NotInstalledError, VaultStage, vault_stage

STORES = ("sqlite", "postgres", "redis")
CONCURRENCIES = (1, BUSY)
FLAT = 1.5
"""A figure is flat while it stays below so many times the one at the fewest grants."""


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """What was taken on one kind of store; reads by grants and concurrency."""

    server: str
    reads: Mapping[tuple[int, int], Sequence[Reads]]
    refreshes: Refreshes


@dataclass(frozen=True, slots=True)
class StoreFindings:
    """What was found, on which servers, and which kinds were not measured, in words."""

    findings: Sequence[Finding]
    servers: Sequence[str]
    skipped: Sequence[str]


def microseconds(reads: Reads) -> float:
    """Return the time per read; where several are under way, each of them counts."""
    return reads.seconds / reads.count * 1e6


def cpu_microseconds(reads: Reads) -> float:
    """Return the CPU time per read, ours and the database's."""
    return (reads.cpu_seconds + reads.database_cpu_seconds) / reads.count * 1e6


UNITS = {"µs/read": microseconds, "CPU µs/read": cpu_microseconds}


def measure_stores(layout: Layout, plan: Plan, say: Callable[[str], None]) -> StoreFindings:
    """Measure every kind of store that this machine can run, and *say* what is done."""
    taken: dict[str, StoreFigures] = {}
    skipped = []
    for kind in STORES:
        try:
            with vault_stage(kind, layout) as on:
                taken[kind] = take(kind, on, plan, say)
        except NotInstalledError as error:
            skipped.append(f"{kind} was not measured: {error}")
            say(skipped[-1])
    return StoreFindings(
        findings=list(tell(taken, layout, plan)),
        servers=[figures.server for figures in taken.values()],
        skipped=skipped,
    )


def take(kind: str, on: VaultStage, plan: Plan, say: Callable[[str], None]) -> StoreFigures:
    """Fill a store step by step; read after each, and refresh after the first."""
    reads: dict[tuple[int, int], Sequence[Reads]] = {}
    refreshes: Refreshes | None = None
    filled_count = 0
    for count in plan.grant_counts:
        filled = on.perform(FillJob(on.variables, filled_count, count - filled_count), Filled)
        filled_count = count
        say(f"{kind}: {count:,} grants, the last {filled.count:,} in {filled.seconds:.0f} s")
        for concurrency in CONCURRENCIES:
            job = ReadsJob(
                variables=on.variables,
                grant_count=count,
                concurrency=concurrency,
                warm_up_seconds=plan.warm_up_seconds,
                seconds=plan.seconds,
                database_pid=on.database_pid,
            )
            reads[count, concurrency] = [on.perform(job, Reads) for _ in range(plan.rounds)]
        refreshes = refreshes or on.perform(
            RefreshesJob(on.variables, count, plan.refreshes), Refreshes
        )
    assert refreshes is not None
    return StoreFigures(on.server, reads, refreshes)


def tell(taken: Mapping[str, StoreFigures], layout: Layout, plan: Plan) -> Iterator[Finding]:
    """Tell the figures of all stores side by side."""
    for concurrency in CONCURRENCIES:
        for unit in UNITS:
            yield from tell_reads(taken, layout, plan.grant_counts, concurrency, unit)
    yield from tell_refreshes(taken, layout)


def tell_reads(
    taken: Mapping[str, StoreFigures],
    layout: Layout,
    grant_counts: Sequence[int],
    concurrency: int,
    unit: str,
) -> Iterator[Finding]:
    """Tell what a read takes at each number of grants; the goal is that it stays the same."""
    fewest: Mapping[str, float] | None = None
    for count in grant_counts:
        figures = {
            kind: median(map(UNITS[unit], figures.reads[count, concurrency]))
            for kind, figures in taken.items()
        }
        subject = f"session and token, {count:,} grants, concurrency {concurrency}"
        goal = None if fewest is None else flat_goal(figures, fewest, grant_counts[0])
        yield Finding(subject, layout.name, unit, figures, goal)
        fewest = fewest or figures


def flat_goal(figures: Mapping[str, float], fewest: Mapping[str, float], fewest_count: int) -> Goal:
    """Judge whether no store's figure grew with the grants."""
    is_met = all(figure <= FLAT * fewest[kind] for kind, figure in figures.items())
    return Goal(f"at most {FLAT:g} of that at {fewest_count:,}", is_met)


def tell_refreshes(taken: Mapping[str, StoreFigures], layout: Layout) -> Iterator[Finding]:
    """Tell what a refresh adds to its request."""
    refreshes = {kind: figures.refreshes for kind, figures in taken.items()}
    requests = {kind: one.request_seconds * 1e3 for kind, one in refreshes.items()}
    whole = {kind: one.refresh_seconds * 1e3 for kind, one in refreshes.items()}
    added = {kind: whole[kind] - requests[kind] for kind in refreshes}
    yield Finding("token request alone", layout.name, "ms", requests)
    yield Finding("refresh with claim and commit", layout.name, "ms", whole)
    yield Finding("what the refresh adds", layout.name, "ms", added)
