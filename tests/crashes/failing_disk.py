"""A disk that fails a running process: its system calls come back with an error (strace)."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from contracts import tracing
from waiting import LIMIT_SECONDS, until

SYNCS = "fdatasync,fsync"
WRITES = f"pwrite64,{SYNCS}"
SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")
OPEN_TO_ALL, OPEN_TO_NOBODY = "0", "3"


def why_not() -> str | None:
    """Say why no running process can be traced here, if so."""
    scope = SCOPE.read_text().strip() if SCOPE.exists() else OPEN_TO_ALL
    if scope == OPEN_TO_NOBODY or (scope != OPEN_TO_ALL and os.geteuid() != 0):
        return "tracing a running process is not permitted here"
    return tracing.why_not()


def needs_tracing() -> pytest.MarkDecorator:
    """Mark a test that cannot run where no running process can be traced."""
    return pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


@contextmanager
def failing_disk(process_id: int, calls: str) -> Iterator[None]:
    """Let *calls* of a process fail with EIO for as long as the block lasts."""
    strace = shutil.which("strace")
    assert strace is not None
    fault = ["-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO"]
    tracer = subprocess.Popen([strace, "-f", "-qq", "-o", "/dev/null", *fault, f"-p{process_id}"])
    try:
        _wait_until_traced(process_id, tracer)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)  # it lets go of the process, which goes on
        tracer.wait(LIMIT_SECONDS)


def _wait_until_traced(process_id: int, tracer: subprocess.Popen[bytes]) -> None:
    until(lambda: _is_traced(process_id, tracer.pid) or tracer.poll() is not None)
    assert tracer.poll() is None, "strace ended"


def _is_traced(process_id: int, tracer_id: int) -> bool:
    """Tell whether every thread of a process is watched."""
    threads = Path(f"/proc/{process_id}/task").glob("*/status")
    return all(f"TracerPid:\t{tracer_id}\n" in thread.read_text() for thread in threads)
