"""The local Webex of the library's tests, for its doors."""

from collections.abc import Iterator

import pytest
from library.conftest import anyio_backend, world

from webex_oauth.emulator import Options, RunningEmulator

__all__ = ["anyio_backend", "running", "world"]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningEmulator]:
    """One for each module: what people write in one is not counted in another."""
    with RunningEmulator(options=Options(requests_per_minute=0)) as running:
        yield running
