"""A Webex of which less is known: where it revokes tokens is not guessed."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from scene import Scene

from webex_oauth.settings import Settings, changed


def without_revocation(settings: Settings) -> Settings:
    """Return *settings* as those of a Webex that is neither known nor local."""
    server = replace(settings.platform.server, revocation_endpoint=None)
    return changed(settings, platform=replace(settings.platform, server=server))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    with Scene(folder, change_settings=without_revocation) as scene:
        yield scene


@pytest.mark.parametrize("path", ["/logout", "/disconnect"])
def test_leaving_says_that_webex_is_not_told(scene: Scene, path: str) -> None:
    browser = scene.signed_in()

    page = browser.post(path, {"csrf_token": browser.csrf_token()}).text

    assert "It does not know how to revoke it at this Webex" in page
    assert "confirm" not in page
    scene.settle()
    assert scene.emulator.journal.count("POST", "/v1/revoke") == 0
