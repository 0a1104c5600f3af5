"""What is private stays private, however its address is written."""

import pytest
from edges.stage import Stage

PRIVATE = ("/listrooms",)
TRICKS = (
    "{0};x",
    "{0};/healthz",
    "{0}/",
    "{0}//",
    "/{0}",
    "//{0}",
    "/.{0}",
    "/%2e{0}",
    "/static/..{0}",
    "/static/%2e%2e{0}",
    "/static/..%2f..{0}",
    "/healthz/..{0}",
    "/healthz/%2e%2e{0}",
    "/healthz{0}",
    "/healthz%2f..{0}",
    "/healthz;{0}",
    "{0}/../healthz",
    "{0}/..;/healthz",
    "{0}?x=/healthz",
    "{0}?/healthz",
    "{0}%3fx=/healthz",
    "{0}%23/healthz",
    "{0}%00",
    "{0}%00/healthz",
    "{0}.css",
    "{0}%2f",
    "{0}%20",
    "{0}%0a",
    "{0}.json",
    "\\{0}",
    "{0}\\",
)
OTHER_SPELLINGS = ("/LISTROOMS", "/ListRooms", "/%6cistrooms", "/%6C%69strooms", "/list%72ooms")


def is_private(text: str) -> bool:
    """Return whether a page shows what only the person may see: the table of spaces, the person."""
    return "<table" in text or "Mira" in text or "csrf_token" in text


@pytest.mark.parametrize("path", PRIVATE)
def test_the_person_sees_what_is_private(path: str, stage: Stage) -> None:
    answer = stage.signed_in.get(path)

    assert answer.status == 200
    assert is_private(answer.text)


@pytest.mark.check("D17")
@pytest.mark.parametrize("path", PRIVATE)
@pytest.mark.parametrize("trick", TRICKS)
def test_a_stranger_sees_nothing_by_a_crooked_path(trick: str, path: str, stage: Stage) -> None:
    asked_before = stage.scene.emulator.journal.count()

    answer = stage.client().get(trick.format(path).replace(" ", "%20"))

    assert answer.status in {400, 401, 404}
    assert not is_private(answer.text)
    assert stage.scene.emulator.journal.count() == asked_before


@pytest.mark.check("D17")
@pytest.mark.parametrize("spelling", OTHER_SPELLINGS)
def test_a_stranger_sees_nothing_by_another_spelling(spelling: str, stage: Stage) -> None:
    answer = stage.client().get(spelling)

    assert answer.status in {401, 404}
    assert not is_private(answer.text)


@pytest.mark.check("D17")
@pytest.mark.parametrize("path", ["/listrooms/", "/login/", "/logout/", "/oauth/", "/readyz/"])
def test_an_address_with_a_slash_too_many_is_another_address(path: str, stage: Stage) -> None:
    assert stage.client().get(path).status == 404


@pytest.mark.check("D17")
@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/nothing",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2fserver.py",
        "/static//etc/passwd",
        "/static/app.css",
    ],
)
def test_only_files_that_are_served_are_served(path: str, stage: Stage) -> None:
    assert stage.client().get(path).status == 404
