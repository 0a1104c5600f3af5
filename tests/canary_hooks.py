"""pytest hooks that fail a run in which a secret was seen."""

import pytest
from canary import RUN, Leak

LEAKS = pytest.StashKey[list[Leak]]()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Look at what a test printed."""
    RUN.look_at(f"standard output of {report.nodeid}", report.capstdout)
    RUN.look_at(f"standard error of {report.nodeid}", report.capstderr)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when a canary was found."""
    session.config.stash[LEAKS] = RUN.leaks()
    if session.config.stash[LEAKS]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what the canaries saw, and every leak."""
    if not RUN.secret_count:
        return
    leaks = terminalreporter.config.stash[LEAKS]
    terminalreporter.section("canaries", red=bool(leaks), green=not leaks)
    terminalreporter.write_line(
        f"{RUN.secret_count} forms of secrets looked for in {RUN.seen_bytes:,} bytes: "
        f"{len(leaks)} found"
    )
    for leak in leaks:
        terminalreporter.write_line(f"LEAK: {leak.kind} ({leak.form}) in {leak.place}", red=True)
