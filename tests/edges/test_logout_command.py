"""`webex-oauth logout`: the operator ends one person, beside a running application."""

from collections.abc import Iterator

import pytest
from edges.command import call
from scene import JONAS, Scene

from webex_oauth.emulator import Answer

pytestmark = [pytest.mark.check("D07"), pytest.mark.check("B12")]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("operator")) as scene:
        yield scene


def person_id(scene: Scene, email: str = JONAS) -> str:
    person = scene.emulator.world.person_by_email(email)
    assert person
    return person.uuid


def log_out(scene: Scene, person: str) -> tuple[int, str]:
    result = call("logout", person, **scene.variables)
    assert result.stdout == ""
    return result.exit_code, result.stderr


def test_every_session_of_the_person_is_over_in_the_running_application(scene: Scene) -> None:
    leavers, mira = [scene.signed_in(JONAS) for _ in range(2)], scene.signed_in()

    exit_code, said = log_out(scene, person_id(scene))

    assert exit_code == 0
    assert said.startswith("Signed out. Webex has confirmed")
    assert [one.get("/listrooms").status_code for one in leavers] == [401, 401]
    assert mira.get("/listrooms").status_code == 200
    jonas = scene.emulator.world.person_by_email(JONAS)
    assert jonas
    scene.settle()
    assert not scene.emulator.tokens.has_grant(scene.settings.client.client_id, jonas, ())


def test_when_webex_is_down_the_application_goes_on_asking(scene: Scene) -> None:
    leaver = scene.signed_in(JONAS)
    scene.emulator.faults.add("POST", "*/revoke", Answer(status=503), times=None)

    exit_code, said = log_out(scene, person_id(scene))

    assert exit_code == 0
    assert "keeps asking" in said
    assert leaver.get("/listrooms").status_code == 401


def test_a_person_is_known_by_their_address_too(scene: Scene) -> None:
    leaver = scene.signed_in(JONAS)

    exit_code, _ = log_out(scene, JONAS)

    assert exit_code == 0
    assert leaver.get("/listrooms").status_code == 401


@pytest.mark.parametrize("person", ["nobody", "", "00000000-0000-0000-0000-000000000000", "a@b.c"])
def test_a_person_of_whom_nothing_is_kept_is_a_mistake(scene: Scene, person: str) -> None:
    scene.signed_in()

    exit_code, said = log_out(scene, person)

    assert exit_code == 77
    assert said.splitlines()[-1].startswith("error: nothing is kept of ")


def test_a_store_in_memory_cannot_be_reached_from_here(scene: Scene) -> None:
    variables = {**scene.variables, "WEBEX_STORE_URL": "memory:"}

    result = call("logout", "x", **variables)

    assert result.exit_code == 1
    assert "the memory: store lives inside the server" in result.stderr
