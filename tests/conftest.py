"""What holds for the whole run: servers to test with; a secret that is seen anywhere fails it."""

from canary_hooks import (
    pytest_runtest_logreport,
    pytest_sessionfinish,
    pytest_terminal_summary,
)
from services.pgbouncer import pgbouncer
from services.postgres import postgres

__all__ = [
    "pgbouncer",
    "postgres",
    "pytest_runtest_logreport",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
]
