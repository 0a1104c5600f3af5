"""The stage that floods need: a Webex that counts nobody's requests."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from floods.stage import Stage, open_stage

from webex_oauth.emulator import Options

ACCESS_TOKEN_SECONDS = 61
"""A token is handed out when it is good for a minute: this one is renewed every second."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    options = Options(
        requests_per_minute=0,
        access_token_quota=0,
        access_token_lifetime_seconds=ACCESS_TOKEN_SECONDS,
    )
    with open_stage(tmp_path, options) as stage:
        yield stage


@pytest.fixture(autouse=True, scope="session")
def _many_files() -> None:
    """Make this process have as many connections as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
