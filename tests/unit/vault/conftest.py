"""The backend on which asynchronous tests of the vault run."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
