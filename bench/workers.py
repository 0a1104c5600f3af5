"""What a second worker brings; the load generator and the stub have no cores of their own."""

from collections.abc import Iterator
from dataclasses import replace

from bench.contenders import OURS, Contender
from bench.findings import Finding
from bench.jobs import RoomsJob, Target, Throughput
from bench.measures import ROOM_COUNT, answers_per_second, cpu_microseconds, fresh, medians
from bench.plan import BUSY, Layout, Plan
from bench.stage import stage

WORKER_COUNTS = (1, 2)


def with_workers(count: int) -> Contender:
    """Build our contender with so many workers."""
    return replace(
        OURS,
        name=f"{count} worker{'s' if count > 1 else ''}",
        command=lambda port: [*OURS.command(port), "--workers", str(count)],
    )


def measure_workers(layout: Layout, plan: Plan) -> Iterator[Finding]:
    """Ask for 100 rooms, first from one worker, then from two, in turns."""
    contenders = [with_workers(count) for count in WORKER_COUNTS]
    with stage(contenders, layout) as on:

        def turn(contender: Contender, target: Target) -> Throughput:
            job = RoomsJob(
                target=target,
                path=contender.rooms,
                concurrency=BUSY,
                room_count=ROOM_COUNT,
                latency_ms=0,
                warm_up_seconds=plan.warm_up_seconds,
                seconds=plan.seconds,
            )
            return fresh(on.perform(job, Throughput), calls_per_answer=1)

        on.interleaved(1, turn)  # primes them
        taken = on.interleaved(plan.rounds, turn)
    rates, costs = medians(taken, answers_per_second), medians(taken, cpu_microseconds)
    for name, rate in rates.items():
        subject = f"/listrooms, concurrency {BUSY}, {name}, load and stub on the same cores"
        yield Finding(subject, layout.name, "requests/s", {OURS.name: rate})
        yield Finding(subject, layout.name, "CPU µs/request", {OURS.name: costs[name]})
