"""What holds for the whole run: a secret that is seen anywhere fails it."""

from canary_hooks import (
    pytest_runtest_logreport,
    pytest_sessionfinish,
    pytest_terminal_summary,
)

__all__ = ["pytest_runtest_logreport", "pytest_sessionfinish", "pytest_terminal_summary"]
