"""What holds for the whole run: servers to test with; a secret that is seen anywhere fails it."""

import signal
from collections.abc import Iterator

import pytest
from canary_hooks import CanaryReport
from checks import pytest_collection_modifyitems
from leftovers import pytest_runtest_makereport
from services.pgbouncer import pgbouncer
from services.postgres import postgres
from torture_report import TortureReport, seen

__all__ = [
    "pgbouncer",
    "postgres",
    "pytest_collection_modifyitems",
    "pytest_runtest_makereport",
    "seen",
]


def pytest_configure(config: pytest.Config) -> None:
    """Report what leaked, and what the tests that can be long have seen."""
    config.pluginmanager.register(CanaryReport())
    config.pluginmanager.register(TortureReport())


@pytest.fixture(scope="session", autouse=True)
def _heeded_signals() -> Iterator[None]:
    """Make the programs that tests start heed SIGHUP and SIGINT, also under nohup or in a script.

    A process inherits what is ignored; what is handled here it does not.
    """
    before = {
        signal.SIGHUP: signal.signal(signal.SIGHUP, lambda *_: None),
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
