"""Meters: what a process holds in memory and open, read again and again while it is at work."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

EVERY_SECONDS = 0.02
JOIN_SECONDS = 30
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """What was there at one instant; memory is what is this process's alone."""

    memory_bytes: int
    file_count: int
    thread_count: int
    database_bytes: int
    log_bytes: int


def read_meters(pid: int, database: Path) -> Reading:
    """Read the meters of the process that keeps *database*."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return Reading(
        memory_bytes=int(status["RssAnon"].split()[0]) * 1024,
        file_count=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        thread_count=int(status["Threads"]),
        database_bytes=size_bytes(database),
        log_bytes=size_bytes(database.with_name(f"{database.name}-wal")),
    )


def size_bytes(file: Path) -> int:
    """Return how large a file is, which may not be there."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


@dataclass
class Watch:
    """Readings one after the other; the first half of them is the warm-up."""

    read: Callable[[], Reading]
    readings: list[Reading] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def look_until_over(self) -> None:
        """Read until it is over."""
        while not self.is_over.wait(EVERY_SECONDS):
            self.readings.append(self.read())

    def growth(self, of: Callable[[Reading], int]) -> float:
        """Return by how much the last quarter lies above the one before it, by their medians."""
        quarter = len(self.readings) // 4
        before, after = self.readings[-2 * quarter : -quarter], self.readings[-quarter:]
        return _middle(after, of) - _middle(before, of)

    def most(self, of: Callable[[Reading], int]) -> int:
        """Return the most there was."""
        return max(of(reading) for reading in self.readings)


def _middle(readings: Sequence[Reading], of: Callable[[Reading], int]) -> float:
    return median(of(reading) for reading in readings)


@contextmanager
def watching(read: Callable[[], Reading]) -> Iterator[Watch]:
    """Read the meters for as long as the block lasts."""
    watch = Watch(read)
    thread = threading.Thread(target=watch.look_until_over, name="meters")
    thread.start()
    try:
        yield watch
    finally:
        watch.is_over.set()
        thread.join(JOIN_SECONDS)
