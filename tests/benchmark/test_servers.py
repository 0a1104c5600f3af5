"""The processes under measurement."""

import os
import subprocess
import sys
from pathlib import Path
from time import process_time

import pytest

from bench.servers import confined_to, cpu_seconds, resident_bytes, running

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {busy!r}], stdin=sys.stdin, stdout=sys.stdout)
child.wait(timeout=30)
"""
BUSY = """
import sys, time
while time.process_time() < 0.2:
    pass
print("done", flush=True)
sys.stdin.read()
"""


def test_cpu_time_counts_the_children_and_ours_is_counted_alike(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT.format(busy=BUSY)]
    cores = frozenset(os.sched_getaffinity(0))

    with running(command, cores=cores, environment={}, folder=tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        spent = cpu_seconds(process.pid)

    assert spent >= 0.2
    assert cpu_seconds(os.getpid()) == pytest.approx(process_time(), abs=0.5)


def test_what_is_run_has_ended_when_the_block_is_left(tmp_path: Path) -> None:
    cores = frozenset(os.sched_getaffinity(0))

    with running(["sleep", "60"], cores=cores, environment={}, folder=tmp_path) as process:
        assert process.poll() is None

    assert process.returncode is not None


def test_a_started_process_inherits_its_cores_and_we_get_ours_back() -> None:
    own = os.sched_getaffinity(0)
    first = frozenset({min(own)})

    with confined_to(first):
        told = subprocess.run(
            [sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"],
            capture_output=True,
            check=True,
            timeout=30,
        )

    assert told.stdout.decode().strip() == repr(set(first))
    assert os.sched_getaffinity(0) == own


def test_a_process_weighs_at_least_what_it_holds() -> None:
    held = bytearray(os.urandom(1)) * (32 * 2**20)

    assert resident_bytes(os.getpid()) >= len(held)
