"""What a failed test leaves open is closed at once, where it cannot fail its neighbour.

A failed test's traceback keeps its frames alive, and so its sockets and files. When they go in a
later test, their warning would be that test's error.
"""

import contextlib
import gc
import traceback
import warnings
from collections.abc import Iterator
from types import TracebackType

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 - pytest's signature
    call: pytest.CallInfo[None],
) -> Iterator[None]:
    """Let go of everything that a failure's frames hold, once it is told."""
    report = yield
    if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for error in _chain(call.excinfo.value):
                _clear_frames(error.__traceback__)
            gc.collect()
    return report


def _clear_frames(tb: TracebackType | None) -> None:
    for frame, _ in traceback.walk_tb(tb):
        with contextlib.suppress(RuntimeError):  # it is still running: it is pytest's own
            frame.clear()
            # The copy that pytest looked at follows what was cleared when it is looked at again.
            _ = frame.f_locals


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, what caused it, and what a group of errors holds."""
    if error is None:
        return
    yield error
    yield from _chain(error.__cause__)
    yield from _chain(error.__context__)
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _chain(one)
