"""What is measured: each function takes its figures in interleaved turns and yields findings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TypeVar

from bench.contenders import Contender
from bench.findings import Finding, Goal, figure_goal, ratio_goal
from bench.jobs import Done, RoomsJob, Rows, RowsJob, SessionsJob, SignInsJob, Target, Throughput
from bench.plan import BUSY, Layout, Plan
from bench.processes import resident_bytes
from bench.stage import MeasureError, Stage, stage, start_up_seconds

Figure = TypeVar("Figure")

ROOM_COUNT = 100
LONG_ROOM_COUNT = 5000
SLOW_MS = 50
REQUESTS_PER_SECOND_GOALS = {"pinned": 2.5, "unpinned": 2.0}


@dataclass(frozen=True, slots=True)
class RoomsCase:
    """One way of asking for the rooms page."""

    concurrency: int
    latency_ms: int

    @property
    def subject(self) -> str:
        """Say the case in words."""
        return f"/listrooms, concurrency {self.concurrency}, upstream {self.latency_ms} ms"

    @property
    def is_headline(self) -> bool:
        """Tell whether goals are set for this case."""
        return self.concurrency == BUSY and self.latency_ms == 0


def cases(plan: Plan) -> Iterator[RoomsCase]:
    """List the ways of asking that a plan has time for."""
    for concurrency in plan.concurrencies:
        for latency_ms in (0, SLOW_MS):
            yield RoomsCase(concurrency, latency_ms)


def medians(
    taken: Mapping[Contender, Sequence[Figure]], figure: Callable[[Figure], float]
) -> dict[str, float]:
    """Take one figure of every outcome, and of those the median for each contender."""
    return {
        contender.name: median(figure(outcome) for outcome in outcomes)
        for contender, outcomes in taken.items()
    }


def answers_per_second(outcome: Throughput) -> float:
    """Return the rate of whole answers."""
    return outcome.answers / outcome.seconds


def cpu_microseconds(outcome: Throughput) -> float:
    """Return the server's CPU time per answer."""
    return outcome.server_cpu_seconds / outcome.answers * 1e6


def fresh(outcome: Throughput, *, calls_per_answer: int) -> Throughput:
    """Refuse answers that were not fetched for the asking: they would measure a cache."""
    due = (outcome.answers - BUSY) * calls_per_answer
    if outcome.upstream_answers < due:
        raise MeasureError(f"{outcome.answers} answers from {outcome.upstream_answers} calls")
    return outcome


def measure_rooms(on: Stage, plan: Plan, case: RoomsCase) -> Iterator[Finding]:
    """Ask for 100 rooms, fetched fresh for every answer."""

    def turn(contender: Contender, target: Target) -> Throughput:
        job = RoomsJob(
            target=target,
            path=contender.rooms,
            concurrency=case.concurrency,
            room_count=ROOM_COUNT,
            latency_ms=case.latency_ms,
            warm_up_seconds=plan.warm_up_seconds,
            seconds=plan.seconds,
        )
        return fresh(on.perform(job, Throughput), calls_per_answer=1)

    taken = on.interleaved(plan.rounds, turn)
    where = case.subject, on.layout.name
    rates, costs = medians(taken, answers_per_second), medians(taken, cpu_microseconds)
    yield Finding(*where, "requests/s", rates, _rate_goal(on.layout, case, rates))
    yield Finding(*where, "CPU µs/request", costs, _cost_goal(case, costs))
    waits = medians(taken, lambda outcome: outcome.slowest_percent_seconds * 1e3)
    yield Finding(*where, "ms, slowest percent", waits)


def _rate_goal(layout: Layout, case: RoomsCase, rates: Mapping[str, float]) -> Goal | None:
    if not case.is_headline:
        return None
    return ratio_goal(rates, at_least=REQUESTS_PER_SECOND_GOALS[layout.name])


def _cost_goal(case: RoomsCase, costs: Mapping[str, float]) -> Goal | None:
    return ratio_goal(costs, at_most=0.4) if case.is_headline else None


def measure_sign_ins(on: Stage, plan: Plan) -> Iterator[Finding]:
    """Sign in new people: start, callback, and the page that greets them."""

    def turn(_: Contender, target: Target) -> Throughput:
        job = SignInsJob(
            target=target,
            concurrency=BUSY,
            warm_up_seconds=plan.warm_up_seconds,
            seconds=plan.seconds,
        )
        return fresh(on.perform(job, Throughput), calls_per_answer=2)

    taken = on.interleaved(plan.rounds, turn)
    where = f"whole sign-ins, concurrency {BUSY}", on.layout.name
    rates = medians(taken, answers_per_second)
    yield Finding(*where, "sign-ins/s", rates, ratio_goal(rates, at_least=1.5))
    yield Finding(*where, "CPU µs/sign-in", medians(taken, cpu_microseconds))


def measure_long_list(on: Stage, plan: Plan) -> Iterator[Finding]:
    """Show 5,000 rooms to one person, each upstream page taking its time."""

    def turn(contender: Contender, target: Target) -> Rows:
        job = RowsJob(
            target=target,
            path=contender.all_rooms,
            room_count=LONG_ROOM_COUNT,
            latency_ms=SLOW_MS,
        )
        return on.perform(job, Rows)

    taken = on.interleaved(plan.long_lists, turn)
    where = f"{LONG_ROOM_COUNT:,} rooms, {SLOW_MS} ms per upstream page", on.layout.name
    first = medians(taken, lambda outcome: outcome.first_row_seconds * 1e3)
    goal = figure_goal(first, at_most=1.5 * SLOW_MS, why="about one upstream answer")
    yield Finding(*where, "ms to the first row", first, goal)
    whole = medians(taken, lambda outcome: outcome.whole_seconds * 1e3)
    yield Finding(*where, "ms to the last row", whole)


def measure_memory(on: Stage, plan: Plan) -> Iterator[Finding]:
    """Weigh every server before and after many people signed in; each is a person of their own."""

    def sign_in(target: Target, first_serial: int, session_count: int) -> int:
        job = SessionsJob(
            target=target,
            concurrency=BUSY,
            first_serial=first_serial,
            session_count=session_count,
        )
        on.perform(job, Done)
        return resident_bytes(target.pid)

    def turn(_: Contender, target: Target) -> float:
        before = sign_in(target, 0, plan.first_sessions)
        after = sign_in(target, plan.first_sessions, plan.sessions)
        return (after - before) / plan.sessions

    growth = medians(on.interleaved(1, turn), float)
    subject = f"memory growth over {plan.sessions:,} sessions"
    goal = ratio_goal(growth, at_most=1.0)
    yield Finding(subject, on.layout.name, "bytes/session", growth, goal)
    weights = {
        contender.name: resident_bytes(target.pid) / 2**20
        for contender, target in on.targets.items()
    }
    yield Finding("memory afterwards", on.layout.name, "MiB", weights)


def measure_start_up(
    contenders: Sequence[Contender], layout: Layout, plan: Plan
) -> Iterator[Finding]:
    """Start every server anew, until its home page is answered."""
    taken: dict[Contender, list[float]] = {contender: [] for contender in contenders}
    for _ in range(plan.start_ups):
        for contender in contenders:
            taken[contender].append(start_up_seconds(contender, layout) * 1e3)
    yield Finding("start to first answer", layout.name, "ms", medians(taken, float))


def prime(on: Stage, plan: Plan) -> None:
    """Let every server compile and open what it will need, unmeasured."""
    primed = replace(plan, rounds=1, seconds=plan.priming_seconds)
    for _ in measure_rooms(on, primed, RoomsCase(BUSY, 0)):
        pass


def measure_all(
    contenders: Sequence[Contender], layouts: Sequence[Layout], plan: Plan
) -> Iterator[Finding]:
    """Take every measure, the first layout's most widely."""
    for layout in layouts:
        with stage(contenders, layout) as on:
            prime(on, plan)
            for case in cases(plan):
                yield from measure_rooms(on, plan, case)
            yield from measure_sign_ins(on, plan)
    layout = layouts[0]
    with stage(contenders, layout) as on:
        yield from measure_long_list(on, plan)
        yield from measure_memory(on, plan)
    yield from measure_start_up(contenders, layout, plan)
