"""What holds for the whole run: servers to test with; a secret that is seen anywhere fails it."""

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
