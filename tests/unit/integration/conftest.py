"""The backend on which asynchronous tests of an integration run."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
