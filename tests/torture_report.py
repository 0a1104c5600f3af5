"""The report of `make torture`: what each test saw, on which machine, into docs/reliability.md."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from torture import IS_TORTURE

from bench.report import memory_gib, processor

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
HEADING = "## What `make torture` saw last"
IS_WRITTEN = os.environ.get("WRITE") == "1"


@pytest.fixture
def seen(record_property: Callable[[str, object], None]) -> Callable[[str, str], None]:
    """Tell what was done, and what came of it: a line of the report."""
    return lambda what, result: record_property("seen", (what, result))


class TortureReport:
    """Gather what tests saw; print it, and write it down when that is asked for."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, str]] = []
        self._has_failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather one test's lines."""
        self._has_failed = self._has_failed or report.failed
        if report.when == "call":
            lines = [value for name, value in report.user_properties if name == "seen"]
            self._lines += lines  # type: ignore[arg-type]  # the fixture's own pairs

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print all of it."""
        if not self._lines:
            return
        terminalreporter.section("what was seen")
        for what, result in self._lines:
            terminalreporter.write_line(f"{what}: {result}")
        if IS_TORTURE and IS_WRITTEN and not self._has_failed:
            before, _, _ = PAGE.read_text().partition(HEADING)
            PAGE.write_text("\n".join([before.rstrip(), "", *self._section(), ""]))

    def _section(self) -> Iterator[str]:
        yield HEADING
        yield ""
        cores = f"{len(os.sched_getaffinity(0))} cores"
        yield f"On {time.strftime('%Y-%m-%d')}, {processor()}, {cores}, {memory_gib():.0f} GiB."
        yield ""
        yield "| what | result |"
        yield "|---|---|"
        for what, result in self._lines:
            yield f"| {what} | {result} |"
