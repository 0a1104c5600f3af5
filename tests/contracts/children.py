"""Other processes: started from `programs`, told to go on by a line, read line by line."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from waiting import LIMIT_SECONDS

TESTS = Path(__file__).parent.parent
PROGRAMS = Path(__file__).parent / "programs"


class Child:
    """A program that runs beside the test, or under another one that watches over it."""

    def __init__(self, program: str, *arguments: str, under: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [*under, sys.executable, PROGRAMS / f"{program}.py", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def rest(self) -> list[str]:
        """Return all lines until the end of the program."""
        try:
            told, _ = self.process.communicate(timeout=LIMIT_SECONDS)
        finally:
            self.process.kill()
        return [line.strip() for line in told.splitlines()]

    def end(self) -> int:
        self.process.kill()
        self.process.communicate(timeout=LIMIT_SECONDS)
        return self.process.returncode


@contextmanager
def children(*commands: tuple[str, ...]) -> Iterator[list[Child]]:
    """Start programs, each with its arguments; wait until all are ready; end them afterwards."""
    started = [Child(*command) for command in commands]
    try:
        for child in started:
            assert child.line() == "ready"
        yield started
    finally:
        for child in started:
            child.end()
