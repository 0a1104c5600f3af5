"""Processes under measurement: started on chosen cores, weighed through /proc, always ended."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

STOP_SECONDS = 10.0

Cores = frozenset[int]


@contextmanager
def running(
    command: Sequence[str],
    *,
    cores: Cores,
    environment: Mapping[str, str],
    folder: Path,
    log: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command on these cores until the block is left, then end it.

    It sees PATH and this environment, nothing else. Without a *log*, its output can be read.
    """
    with confined_to(cores):
        process = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], **environment},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if log is None else log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process)


@contextmanager
def confined_to(cores: Cores) -> Iterator[None]:
    """Let whatever is started in the block inherit these cores, and get ours back after it."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process politely, or it and all it started by force when it does not listen."""
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=STOP_SECONDS)


def family(pid: int) -> list[int]:
    """List a process and its living descendants."""
    pids = [pid]
    for member in pids:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            pids.extend(int(child) for child in children.read_text().split())
    return pids


def cpu_seconds(pid: int) -> float:
    """Return the CPU time a process and its living descendants have used, all threads counted."""
    return sum(time.clock_gettime(_cpu_clock(member)) for member in family(pid))


def _cpu_clock(pid: int) -> int:
    """Spell the clock id of another process's CPU time, as clock_getcpuclockid(3) does."""
    return (~pid << 3) | 2


def resident_bytes(pid: int) -> int:
    """Return the memory a process and its living descendants hold, shared pages split fairly."""
    return sum(_proportional_bytes(member) for member in family(pid))


def _proportional_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Pss":
            return int(value.split()[0]) * 1024
    raise ProcessLookupError(f"no memory is told of process {pid}")
