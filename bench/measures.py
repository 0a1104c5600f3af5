"""What is measured of the servers: one table, whose figures are taken in interleaved turns."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from bench import load
from bench.load import Window
from bench.report import Finding, Goal
from bench.servers import (
    EXPRESS,
    EXPRESS_ON_DISK,
    OURS,
    Contender,
    Layout,
    Stage,
    resident_bytes,
    stage,
    started,
)

BUSY: Final = 32
LONG_ROOM_COUNT: Final = 5000
SLOW_MS: Final = 50

Turn: TypeAlias = Callable[[Stage, Contender], Mapping[str, float]]
"""One turn of one contender; its figures by their units."""


class Plan(Struct, frozen=True):
    """How often and how long each figure is taken; figures are medians over the rounds.

    The stores are filled to each of `grant_counts` in turn.
    """

    concurrencies: tuple[int, ...]
    rounds: int
    window: Window
    priming_seconds: float
    grant_counts: tuple[int, ...]
    refreshes: int


FULL: Final = Plan((1, BUSY), 3, Window(0.5, 2.0), 8.0, (1_000, 100_000, 1_000_000), 500)
QUICK: Final = Plan((BUSY,), 1, Window(0.2, 0.6), 0.5, (200, 2_000), 30)


class Measure(Struct, frozen=True):
    """One measure: what a turn does, how often, and the goals by unit."""

    subject: str
    turn: Turn
    rounds: int
    goals: Mapping[str, Sequence[Goal]] = {}


def measures(plan: Plan, layout: Layout) -> Iterator[Measure]:
    """List what is measured in one layout."""
    for concurrency in plan.concurrencies:
        for latency_ms in (0, SLOW_MS):
            subject = f"/listrooms, concurrency {concurrency}, upstream {latency_ms} ms"
            is_headline = concurrency == BUSY and latency_ms == 0
            at_least = 2.5 if layout.name == "pinned" else 2.0
            goals = {
                "requests/s": [Goal(at_least=at_least, of=EXPRESS.name)],
                "CPU µs/request": [Goal(at_most=0.4, of=EXPRESS.name)],
            }
            turn = rooms_turn(plan.window, concurrency, latency_ms)
            yield Measure(subject, turn, plan.rounds, goals if is_headline else {})
    yield Measure(
        f"whole sign-ins, concurrency {BUSY}",
        sign_ins_turn(plan.window),
        plan.rounds,
        {
            "sign-ins/s": [
                Goal(at_least=1.0, of=EXPRESS.name),
                Goal(at_least=2.0, of=EXPRESS_ON_DISK.name),
            ],
            "bytes kept/session": [Goal(at_most=1.0, of=EXPRESS.name)],
        },
    )
    if layout.name == "pinned":
        return
    yield Measure(
        f"{LONG_ROOM_COUNT:,} rooms, {SLOW_MS} ms per upstream page",
        long_list_turn,
        plan.rounds,
        {"ms to the first row": [Goal(at_most=1.5 * SLOW_MS)]},
    )
    yield Measure("start to first answer", start_turn, plan.rounds)


def rooms_turn(window: Window, concurrency: int, latency_ms: int) -> Turn:
    """Return the turn that asks for 100 rooms, fetched afresh for every answer."""

    def turn(on: Stage, contender: Contender) -> Mapping[str, float]:
        reached = on.load(contender, load.list_rooms, concurrency, latency_ms, window)
        return {
            "requests/s": reached.per_second,
            "CPU µs/request": reached.cpu_microseconds,
            "ms, slowest percent": reached.slowest_percent_ms,
        }

    return turn


def sign_ins_turn(window: Window) -> Turn:
    """Return the turn that signs in new people: start, callback, and the page that greets them."""

    def turn(on: Stage, contender: Contender) -> Mapping[str, float]:
        before = resident_bytes(on.targets[contender].pid)
        reached = on.load(contender, load.sign_in_again_and_again, BUSY, window)
        after = resident_bytes(on.targets[contender].pid)
        return {
            "sign-ins/s": reached.per_second,
            "CPU µs/sign-in": reached.cpu_microseconds,
            "bytes kept/session": (after - before) / reached.count,
            "MiB afterwards": after / 2**20,
        }

    return turn


def long_list_turn(on: Stage, contender: Contender) -> Mapping[str, float]:
    """Show 5,000 rooms to one person, each upstream page taking its time."""
    first, whole = on.load(contender, load.show_long_list, LONG_ROOM_COUNT, SLOW_MS)
    return {"ms to the first row": first * 1e3, "ms to the last row": whole * 1e3}


def start_turn(on: Stage, contender: Contender) -> Mapping[str, float]:
    """Start another server of the kind, and stop it."""
    with started(contender, on.origin, on.layout.server_cores) as (_, seconds):
        return {"ms": seconds * 1e3}


def measure_servers(
    contenders: Sequence[Contender], layout: Layout, plan: Plan
) -> Iterator[Finding]:
    """Measure contenders side by side, each primed before."""
    with stage(contenders, layout) as on:
        priming = rooms_turn(Window(0, plan.priming_seconds), BUSY, 0)
        for contender in contenders:
            priming(on, contender)
        for measure in measures(plan, layout):
            yield from taken(on, measure)


def measure_workers(layout: Layout, plan: Plan) -> Iterator[Finding]:
    """Measure what a second worker brings; load and stub have no cores of their own."""
    counts = {1: "1 worker", 2: "2 workers"}
    contenders = [
        replace(
            OURS,
            name=name,
            command=functools.partial(
                lambda n, port: [*OURS.command(port), "--workers", str(n)], n
            ),
        )
        for n, name in counts.items()
    ]
    turn = rooms_turn(plan.window, BUSY, 0)
    with stage(contenders, layout) as on:
        for contender in contenders:
            turn(on, contender)
        measure = Measure(f"/listrooms, concurrency {BUSY}", turn, plan.rounds)
        for finding in list(taken(on, measure)):
            for name, figure in finding.figures.items():
                subject = f"{finding.subject}, {name}, load and stub on the same cores"
                yield Finding(subject, layout.name, finding.unit, {OURS.name: figure})


def taken(on: Stage, measure: Measure) -> Iterator[Finding]:
    """Take a measure: every contender has its turn in every round, so a noisy minute hits all."""
    turns: dict[str, list[Mapping[str, float]]] = {one.name: [] for one in on.targets}
    for _ in range(measure.rounds):
        for contender in on.targets:
            turns[contender.name].append(measure.turn(on, contender))
    for unit in next(iter(turns.values()))[0]:
        figures = {name: median(one[unit] for one in took) for name, took in turns.items()}
        verdicts = (goal.verdict(figures) for goal in measure.goals.get(unit, ()))
        yield Finding(
            measure.subject, on.layout.name, unit, figures, "; ".join(filter(None, verdicts))
        )
