"""The stages that the edges share: one on plain localhost, one behind a proxy that ends TLS."""

from collections.abc import Iterator

import pytest
from edges.stage import Stage, open_stage

PUBLIC_ORIGIN = "https://spaces.example"


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Serve the application on http://localhost."""
    with open_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(scope="session")
def public_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Serve it at an https address, behind a proxy that ends TLS."""
    with open_stage(tmp_path_factory.mktemp("public"), f"{PUBLIC_ORIGIN}/oauth") as stage:
        yield stage


@pytest.fixture(scope="session")
def stage_below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Serve it below a path of a public address."""
    with open_stage(tmp_path_factory.mktemp("below"), f"{PUBLIC_ORIGIN}/webex/oauth") as stage:
        yield stage
