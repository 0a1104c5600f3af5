"""pytest hooks that fail a run in which a secret was seen, in this process or in a worker of it."""

from dataclasses import astuple, dataclass
from typing import Any

import pytest
from canary import RUN, Canaries, Leak


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the canaries of one process looked for, how much they saw, and what they found."""

    secret_count: int
    seen_bytes: int
    leaks: tuple[Leak, ...]

    @classmethod
    def of(cls, canaries: Canaries) -> "Verdict":
        """Return the verdict over all that *canaries* have seen."""
        return cls(canaries.secret_count, canaries.seen_bytes, tuple(canaries.leaks()))

    @classmethod
    def read(cls, members: tuple[int, int, tuple[tuple[str, str, str], ...]]) -> "Verdict":
        """Return what `astuple` made of a verdict."""
        secret_count, seen_bytes, leaks = members
        return cls(secret_count, seen_bytes, tuple(Leak(*leak) for leak in leaks))


class CanaryReport:
    """Look at what tests print; gather the verdicts of all workers; fail the run on a leak."""

    def __init__(self) -> None:
        self._verdicts: list[Verdict] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at what a test printed; a worker has already looked at what ran there."""
        if not hasattr(report, "node"):
            RUN.look_at(f"standard output of {report.nodeid}", report.capstdout)
            RUN.look_at(f"standard error of {report.nodeid}", report.capstderr)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Gather a worker's verdict; one that crashed has failed its test already."""
        output = getattr(node, "workeroutput", None)
        if output is not None:
            self._verdicts.append(Verdict.read(output["canaries"]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run when a canary was found; hand a worker's verdict to its controller."""
        own = Verdict.of(RUN)
        self._verdicts.append(own)
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["canaries"] = astuple(own)
        if any(verdict.leaks for verdict in self._verdicts):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell what the canaries saw, and every leak."""
        secret_count = sum(verdict.secret_count for verdict in self._verdicts)
        if not secret_count:
            return
        seen_bytes = sum(verdict.seen_bytes for verdict in self._verdicts)
        leaks = sorted({leak for verdict in self._verdicts for leak in verdict.leaks})
        terminalreporter.section("canaries", red=bool(leaks), green=not leaks)
        terminalreporter.write_line(
            f"{secret_count} forms of secrets looked for in {seen_bytes:,} bytes: "
            f"{len(leaks)} found"
        )
        for leak in leaks:
            text = f"LEAK: {leak.kind} ({leak.form}) in {leak.place}"
            terminalreporter.write_line(text, red=True)
