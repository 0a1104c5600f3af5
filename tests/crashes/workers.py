"""Workers: processes in which people come and go, killed at random moments and started again.

The browsers outlive them: they present the session ids that they were given to the next process.
The clock stands still while a worker is alive and jumps past the leases once all are dead, so that
only leases of the dead lapse.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from signal import SIGKILL

from crashes.aftermath import Presentations, spooled
from msgspec import structs
from peers.registration import Registration, settings_of
from services.sqlite import integrity
from storm.callers import start_program
from storm.clock_file import ClockFile
from storm.local_webex import LocalWebex
from waiting import LIMIT_SECONDS

from webex_oauth.settings import Settings, changed
from webex_oauth.vault.plan import Timing

PROGRAM = Path(__file__).parent / "programs" / "come_and_go.py"
DAY = 86_400
WORKER_COUNT = 3
LONGEST_GAP_SECONDS = 0.4
"""How long no worker is killed at most, once the next one to be killed is at work."""

SHARE_KILLED_STARTING = 0.1
LOST_SINGLY = 2
"""How many die alone, and are replaced, before all die."""

LAPSED_SECONDS = Timing().lease_seconds + 1


@dataclass(frozen=True, slots=True)
class Errand:
    """What a worker does: which database, which people, and the sessions that are there.

    `is_rotating`: it is known that the server spends refresh tokens.
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

    @property
    def settings(self) -> Settings:
        """The settings of a worker; its sessions last longer than it is at work."""
        settings = settings_of(self.registration, self.store_url, Path(self.folder))
        server = structs.replace(settings.platform.server, rotates_refresh_tokens=self.is_rotating)
        platform = structs.replace(settings.platform, server=server)
        return changed(settings, platform=platform, idle_seconds=DAY, absolute_seconds=DAY)


@dataclass(slots=True)
class Reports:
    """What workers reported. Whether sessions in `leaving` were ended is unknown."""

    living: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def cut_short_count(self) -> int:
        """How many sign-ins were begun and not reported to have ended."""
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

    def update(self, other: "Reports") -> None:
        """Add what another worker reported."""
        for each in fields(self):
            getattr(self, each.name).update(getattr(other, each.name))


class Worker:
    """A place at which one process after the other works."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._process: asyncio.subprocess.Process | None = None
        self._start_count = 0
        self.reports = Reports()

    async def start(self) -> None:
        """Start a process, to which the living sessions of its predecessor are presented."""
        self._start_count += 1
        errand = replace(
            self._errand,
            seed=f"{self._errand.seed} {self._start_count}",
            session_ids=tuple(sorted(self.reports.living)),
        )
        with self._log.open("wb") as log:
            self._process = await start_program(PROGRAM, errand, stderr=log)
        self._is_at_work = asyncio.Event()
        self._reading = asyncio.create_task(self._read(self._process))

    async def is_at_work(self) -> None:
        """Wait until people have come and gone there, or it has ended by itself."""
        async with asyncio.timeout(LIMIT_SECONDS):
            await self._is_at_work.wait()

    async def die(self) -> None:
        """Kill it, and read what it had said by then; fail if it ended by itself."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(LIMIT_SECONDS):
            await self._reading
            exit_code = await process.wait()
        assert exit_code == -SIGKILL, f"exit code {exit_code}: {self._log.read_text()}"

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            if line.endswith(b"\n"):  # else it was cut short
                self.reports.note(line.decode().rstrip())
            if line.startswith(b"left "):
                self._is_at_work.set()
        self._is_at_work.set()

    @property
    def _log(self) -> Path:
        return Path(self._errand.folder) / f"worker {self._errand.seed}.log"


class Workers:
    """Several at one database; *chance* decides who dies, and when."""

    def __init__(self, workers: list[Worker], chance: random.Random) -> None:
        self.workers = workers
        self._chance = chance
        self.kill_count = 0

    async def live_and_die(self) -> None:
        """Start all, lose and replace some, then lose all, each at a random moment."""
        for worker in self.workers:
            await worker.start()
        for _ in range(LOST_SINGLY):
            worker = self._chance.choice(self.workers)
            await self._kill(worker)
            await worker.start()
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
    """Prepare so many workers; none is alive afterwards."""
    places = [Worker(replace(errand, seed=f"{seed} {number}")) for number in range(count)]
    together = Workers(places, random.Random(seed))  # noqa: S311 - no secret
    try:
        yield together
    finally:
        for worker in places:
            await worker.die()


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where the workers work."""

    webex: LocalWebex
    errand: Errand
    clock: ClockFile

    @property
    def spool(self) -> Path:
        """Where tokens wait that the database would not take."""
        return self.errand.settings.spool_folder

    def time_passes(self, seconds: int) -> None:
        """Move the clock of all processes; no holder of a lease may be alive."""
        self.clock.set(self.clock() + seconds)

    def check_file(self) -> None:
        """Check the database, if it is a file."""
        kind, _, path = self.errand.store_url.partition(":///")
        assert kind != "sqlite" or integrity(Path(path)) == "ok"


@dataclass(frozen=True, slots=True)
class Deaths:
    """What is known from outside when the last worker has died."""

    kill_count: int
    reports: Reports
    presentations: Presentations
    spooled_count: int


async def deaths(workplace: Workplace, kill_count: int, seed: int) -> Deaths:
    """Kill and replace workers until enough have died; all are dead afterwards."""
    presentations, spooled_count, reports = Presentations(workplace.webex), 0, Reports()
    async with workers(WORKER_COUNT, workplace.errand, seed) as together:
        while together.kill_count < kill_count:
            workplace.time_passes(LAPSED_SECONDS)
            await together.live_and_die()
            await presentations.gather()
            spooled_count += len(spooled(workplace.spool))
            workplace.check_file()
    for worker in together.workers:
        reports.update(worker.reports)
    return Deaths(together.kill_count, reports, presentations, spooled_count)
