"""A local Webex, and the settings of an integration that is registered there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from library.people import World

from webex_oauth.emulator import Options, RunningEmulator


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio alone."""
    return "asyncio"


@pytest.fixture(scope="session")
def running() -> Iterator[RunningEmulator]:
    with RunningEmulator(options=Options(requests_per_minute=0)) as running:
        yield running


@pytest.fixture
def world(running: RunningEmulator, tmp_path: Path) -> Iterator[World]:
    yield World(running.emulator, tmp_path)
    running.emulator.clock.reset()
    running.emulator.faults.clear()
    running.emulator.journal.clear()
