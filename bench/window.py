"""The measured window of a closed loop: what was there when it opened, and when it closed."""

from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter

from bench.connection import connect
from bench.jobs import Target, Throughput
from bench.processes import cpu_seconds

COUNT_REQUEST = b"GET /count HTTP/1.1\r\nhost: localhost\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Reading:
    """The meters at one instant: `at` in seconds, the server's CPU seconds, upstream answers."""

    at: float
    server_cpu_seconds: float
    upstream_answers: int


async def read_meters(target: Target) -> Reading:
    """Read the meters of a server and of the stub behind it."""
    stub = await connect(target.upstream_port)
    try:
        counted = await stub.ask(COUNT_REQUEST)
    finally:
        stub.close()
    return Reading(perf_counter(), cpu_seconds(target.pid), int(counted.body))


def summary(waits: list[float], opened: Reading, closed: Reading) -> Throughput:
    """Sum up the answers that came in a window, two at least."""
    percentiles = quantiles(waits, n=100, method="inclusive")
    return Throughput(
        answers=len(waits),
        seconds=closed.at - opened.at,
        server_cpu_seconds=closed.server_cpu_seconds - opened.server_cpu_seconds,
        upstream_answers=closed.upstream_answers - opened.upstream_answers,
        median_seconds=percentiles[49],
        slowest_percent_seconds=percentiles[98],
    )
