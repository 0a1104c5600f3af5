"""The stage of the stores' measures: a store, the stub Webex, and processes with a vault."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import sqlite_version
from tempfile import TemporaryDirectory
from typing import TypeVar

import msgspec

from bench.contenders import settings
from bench.plan import Layout
from bench.processes import running
from bench.stage import MeasureError, perform, upstream
from bench.vault_jobs import Filled, Offer, Reads, Refreshes, VaultJob, vault_limit_seconds

Outcome = TypeVar("Outcome", Filled, Reads, Refreshes)

UNUSED_PORT = 8000
_ROOT = Path(__file__).parent.parent
_TESTS = _ROOT / "tests"


class NotInstalledError(Exception):
    """A kind of store needs a server that is not on this machine; the message says which."""


@dataclass(frozen=True, slots=True)
class VaultStage:
    """A store: what keeps it, how an application is told of it, and its server's process, if any.

    `database_pid` is the process that started the server.
    """

    layout: Layout
    server: str
    variables: Mapping[str, str]
    database_pid: int | None

    def perform(self, job: VaultJob, outcome: type[Outcome]) -> Outcome:
        """Run one job in a process of its own."""
        return perform(
            "bench.vault_load",
            job,
            outcome,
            cores=self.layout.load_cores,
            limit_seconds=vault_limit_seconds(job),
        )


@contextmanager
def vault_stage(kind: str, layout: Layout) -> Iterator[VaultStage]:
    """Run what a kind of store needs; raise NotInstalledError when it is not there."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="webex-oauth-bench-")))
        offer, pid = sqlite(folder), None
        if kind != "sqlite":
            offer, pid = stack.enter_context(database(kind, layout))
        origin = stack.enter_context(upstream(layout.load_cores))
        variables = {**settings(origin, UNUSED_PORT, folder), "WEBEX_STORE_URL": offer.url}
        yield VaultStage(layout, offer.server, variables, pid)


def sqlite(folder: Path) -> Offer:
    """Name a new file."""
    return Offer(f"sqlite:///{folder}/vault.sqlite", f"SQLite {sqlite_version}")


@contextmanager
def database(kind: str, layout: Layout) -> Iterator[tuple[Offer, int]]:
    """Run a database server; give what it offers and the process that started it."""
    with running(
        [sys.executable, "-m", "bench.databases", kind],
        cores=layout.server_cores,
        environment={"PYTHONPATH": str(_TESTS)},
        folder=_ROOT,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise MeasureError(f"the {kind} server did not start")
        offer = msgspec.json.decode(said, type=Offer)
        if offer.reason is not None:
            raise NotInstalledError(offer.reason)
        yield offer, process.pid
