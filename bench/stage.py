"""The stage of a measure: a stub Webex, the contenders beside it, and the load they get in turn."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import msgspec

from bench.contenders import Contender, started
from bench.jobs import Done, Job, Rows, Target, Throughput, limit_seconds
from bench.plan import Layout
from bench.processes import Cores, running

Outcome = TypeVar("Outcome", Throughput, Rows, Done)
Figure = TypeVar("Figure")
Result = TypeVar("Result")

PATIENCE_SECONDS = 30.0
_ROOT = Path(__file__).parent.parent


class MeasureError(Exception):
    """A measure could not be taken; the message says what the load generator saw."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The servers as they run now, on the cores of one layout."""

    layout: Layout
    targets: Mapping[Contender, Target]

    def interleaved(
        self, rounds: int, turn: Callable[[Contender, Target], Figure]
    ) -> dict[Contender, list[Figure]]:
        """Give every contender its turn in every round, so that a noisy minute hits all alike."""
        taken: dict[Contender, list[Figure]] = {contender: [] for contender in self.targets}
        for _ in range(rounds):
            for contender, target in self.targets.items():
                taken[contender].append(turn(contender, target))
        return taken

    def perform(self, job: Job, outcome: type[Outcome]) -> Outcome:
        """Run one job in a load generator of its own."""
        return perform(
            "bench.load",
            job,
            outcome,
            cores=self.layout.load_cores,
            limit_seconds=limit_seconds(job),
        )


def perform(
    program: str, job: object, outcome: type[Result], *, cores: Cores, limit_seconds: float
) -> Result:
    """Give one job to a new process, and wait for its outcome."""
    command = [sys.executable, "-m", program]
    with running(command, cores=cores, environment={}, folder=_ROOT) as process:
        try:
            written, _ = process.communicate(
                msgspec.json.encode(job), timeout=limit_seconds + PATIENCE_SECONDS
            )
        except subprocess.TimeoutExpired as timeout:
            raise MeasureError(f"the load generator did not come back: {job}") from timeout
    if process.returncode != 0:
        raise MeasureError(f"the load generator ended with status {process.returncode}: {job}")
    return msgspec.json.decode(written, type=outcome)


@contextmanager
def upstream(cores: Cores) -> Iterator[str]:
    """Run the stub Webex and give its origin."""
    command = [sys.executable, "-m", "bench.upstream"]
    with running(command, cores=cores, environment={}, folder=_ROOT) as process:
        assert process.stdout is not None
        origin = process.stdout.readline().decode().strip()
        if not origin:
            raise MeasureError("the stub upstream did not start")
        yield origin


@contextmanager
def stage(contenders: Sequence[Contender], layout: Layout) -> Iterator[Stage]:
    """Run a stub Webex and these contenders together; only the one at its turn has work."""
    with ExitStack() as stack:
        origin = stack.enter_context(upstream(layout.load_cores))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="webex-oauth-bench-")))
        targets = {}
        for contender in contenders:
            server = started(contender, origin, folder / contender.name, layout.server_cores)
            targets[contender], _ = stack.enter_context(server)
        yield Stage(layout, targets)


def start_up_seconds(contender: Contender, layout: Layout) -> float:
    """Start a contender, and return how long its first answer took."""
    with (
        upstream(layout.load_cores) as origin,
        TemporaryDirectory(prefix="webex-oauth-bench-") as folder,
        started(contender, origin, Path(folder) / "home", layout.server_cores) as (_, seconds),
    ):
        return seconds
