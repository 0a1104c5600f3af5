"""The pages as the application makes them: once for all tests."""

import pytest

from webex_oauth.web.rendering import Assets, Pages


@pytest.fixture(scope="session")
def assets() -> Assets:
    return Assets.packaged()


@pytest.fixture(scope="session")
def pages(assets: Assets) -> Pages:
    return Pages(assets)
