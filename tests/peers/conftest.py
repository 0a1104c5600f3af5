"""What the tests with peers share."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
