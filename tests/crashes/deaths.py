"""Deaths: workers at one store die one by one, and all at once, again and again.

The clock stands still while anybody is alive and jumps past the leases once all are dead, so that
a lease lapses of those alone who died.
"""

from dataclasses import dataclass
from pathlib import Path

from crashes.aftermath import Presentations, spooled
from crashes.local_webex import LocalWebex
from crashes.workers import Errand, Ledger, settings_for, workers
from services.sqlite import integrity
from storm.clock_file import ClockFile

from webex_oauth.vault.lease import Timing

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
