"""Workers: processes in which people come and go, killed at random moments and started again.

The browsers outlive them: who was told a session's id presents it to whoever comes next.
"""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGKILL

import msgspec
from crashes.aftermath import Presentations, spooled
from peers.registration import Registration, settings_of
from services.sqlite import integrity
from storm.clock_file import ClockFile
from storm.local_webex import LocalWebex
from waiting import LIMIT_SECONDS

from webex_oauth.settings import Settings
from webex_oauth.vault.plan import Timing

TESTS = Path(__file__).parent.parent
PROGRAM = Path(__file__).parent / "programs" / "come_and_go.py"
DAY = 86_400
LONGEST_GAP_SECONDS = 0.4
"""How long nobody is killed at most, once who is to be killed next is at work."""

SHARE_KILLED_STARTING = 0.1


@dataclass(frozen=True, slots=True)
class Errand:
    """What a worker is told: where the store is, who comes, and the sessions that are there.

    `is_rotating` says whether it is known that the server spends refresh tokens.
    """

    registration: Registration
    store_url: str
    folder: str
    clock_file: str
    emails: tuple[str, ...]
    is_rotating: bool
    browser_count: int
    seed: str = ""
    session_ids: tuple[str, ...] = ()


def settings_for(errand: Errand) -> Settings:
    """Write a worker's settings; its sessions last longer than it is at work."""
    settings = settings_of(errand.registration, errand.store_url, Path(errand.folder))
    server = replace(settings.platform.server, rotates_refresh_tokens=errand.is_rotating)
    return replace(
        settings,
        platform=replace(settings.platform, server=server),
        idle_seconds=DAY,
        absolute_seconds=DAY,
    )


@dataclass(slots=True)
class Ledger:
    """What workers said. Of sessions in `leaving` nobody knows whether they were ended."""

    living: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def cut_short_count(self) -> int:
        """How many sign-ins were begun of which nobody said what came of them."""
        return self.counts["comes"] - self.counts["came"] - self.counts["stays"]

    def note(self, line: str) -> None:
        """Take down one line."""
        what, _, about = line.partition(" ")
        self.counts[what] += 1
        match what:
            case "came":
                self.living.add(about)
            case "leaves":
                self.living.remove(about)
                self.leaving.add(about)
            case "left":
                self.leaving.remove(about)
                self.left.add(about)
            case "missing":
                self.missing.add(about)
            case "needs":
                self.reasons[about] += 1
            case "waits" | "stays":
                self.errors[about] += 1


class Worker:
    """A place at which one process after the other works."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._process: asyncio.subprocess.Process | None = None
        self._start_count = 0
        self.ledger = Ledger()
        self.failures: list[str] = []

    async def start(self) -> None:
        """Start a process, to which the living sessions of its predecessor are presented."""
        self._start_count += 1
        errand = replace(
            self._errand,
            seed=f"{self._errand.seed} {self._start_count}",
            session_ids=tuple(sorted(self.ledger.living)),
        )
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(PROGRAM),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(TESTS)},
            )
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(errand) + b"\n")
        self._is_at_work = asyncio.Event()
        self._reading = asyncio.create_task(self._read(self._process))

    async def is_at_work(self) -> None:
        """Wait until people have come and gone there, or it has ended by itself."""
        async with asyncio.timeout(LIMIT_SECONDS):
            await self._is_at_work.wait()

    async def die(self) -> None:
        """Kill it, and read what it had said by then."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(LIMIT_SECONDS):
            await self._reading
            exit_code = await process.wait()
        if exit_code != -SIGKILL:
            self.failures.append(f"exit code {exit_code}: {self._log.read_text()}")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            if line.endswith(b"\n"):  # else it was cut short
                self.ledger.note(line.decode().rstrip())
            if line.startswith(b"left "):
                self._is_at_work.set()
        self._is_at_work.set()

    @property
    def _log(self) -> Path:
        return Path(self._errand.folder) / f"worker {self._errand.seed}.log"


class Workers:
    """Several at one store; *chance* says who dies, and when."""

    def __init__(self, workers: list[Worker], chance: random.Random) -> None:
        self.workers = workers
        self._chance = chance
        self.kill_count = 0

    @property
    def failures(self) -> list[str]:
        """What workers wrote that ended by themselves."""
        return [failure for worker in self.workers for failure in worker.failures]

    async def start(self) -> None:
        """Start all of them."""
        for worker in self.workers:
            await worker.start()

    async def lose_one(self) -> None:
        """Kill one at a random moment, and start another in its place."""
        worker = self._chance.choice(self.workers)
        await self._kill(worker)
        await worker.start()

    async def lose_all(self) -> None:
        """Kill all of them, one after the other, each at a random moment."""
        for worker in self._chance.sample(self.workers, len(self.workers)):
            await self._kill(worker)

    async def _kill(self, worker: Worker) -> None:
        if self._chance.random() >= SHARE_KILLED_STARTING:
            await worker.is_at_work()
        await asyncio.sleep(self._chance.uniform(0, LONGEST_GAP_SECONDS))
        await worker.die()
        self.kill_count += 1


@asynccontextmanager
async def workers(count: int, errand: Errand, seed: int) -> AsyncIterator[Workers]:
    """Prepare so many workers, of which none is alive afterwards."""
    places = [Worker(replace(errand, seed=f"{seed} {number}")) for number in range(count)]
    together = Workers(places, random.Random(seed))  # noqa: S311 - no secret
    try:
        yield together
    finally:
        for worker in places:
            await worker.die()


WORKER_COUNT = 3
LOST_SINGLY = 2
"""How many die alone, and are replaced, before all die."""

LAPSED_SECONDS = Timing().lease_seconds + 1


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it happens."""

    webex: LocalWebex
    errand: Errand
    clock: ClockFile

    @property
    def database(self) -> Path | None:
        """The file of the store, if it is one."""
        kind, _, path = self.errand.store_url.partition(":///")
        return Path(path) if kind == "sqlite" else None

    @property
    def spool(self) -> Path:
        """Where tokens wait that the store would not take."""
        return settings_for(self.errand).spool_folder

    def time_passes(self, seconds: int) -> None:
        """Move the clock of all who ask; nobody may be alive who holds a lease."""
        self.clock.set(self.clock() + seconds)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known from outside when the last one has died."""

    kill_count: int
    ledgers: list[Ledger]
    presentations: Presentations
    spooled_count: int

    def count(self, what: str) -> int:
        """Say how often workers told of this."""
        return sum(ledger.counts[what] for ledger in self.ledgers)

    def names(self, kind: str) -> set[str]:
        """Gather the sessions of one kind."""
        return {name for ledger in self.ledgers for name in getattr(ledger, kind)}

    @property
    def cut_short_count(self) -> int:
        """How many sign-ins were under way when their process died."""
        return sum(ledger.cut_short_count for ledger in self.ledgers)


async def deaths(scene: Scene, kill_count: int, seed: int) -> Told:
    """Let workers die and be replaced until enough have died; all are dead afterwards."""
    presentations, spooled_count = Presentations(scene.webex), 0
    async with workers(WORKER_COUNT, scene.errand, seed) as crew:
        while crew.kill_count < kill_count:
            scene.time_passes(LAPSED_SECONDS)
            await crew.start()
            for _ in range(LOST_SINGLY):
                await crew.lose_one()
            await crew.lose_all()
            assert crew.failures == []
            await presentations.gather()
            spooled_count += len(spooled(scene.spool))
            assert scene.database is None or integrity(scene.database) == "ok"
    ledgers = [worker.ledger for worker in crew.workers]
    return Told(crew.kill_count, ledgers, presentations, spooled_count)
