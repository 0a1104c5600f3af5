"""`webex-oauth disconnect`: the operator ends one person, beside a running application."""

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


def disconnect(scene: Scene, person: str) -> tuple[int, str, str]:
    result = call("disconnect", person, **scene.variables)
    return result.exit_code, result.stdout, result.stderr


def test_every_session_of_the_person_is_over_in_the_running_application(scene: Scene) -> None:
    leavers, mira = [scene.signed_in(JONAS) for _ in range(2)], scene.signed_in()

    exit_code, said, _ = disconnect(scene, person_id(scene))

    assert exit_code == 0
    assert said.startswith("Disconnected. Webex has confirmed")
    assert [one.get("/listrooms").status_code for one in leavers] == [401, 401]
    assert mira.get("/listrooms").status_code == 200
    jonas = scene.emulator.world.person_by_email(JONAS)
    assert jonas
    scene.settle()
    assert not scene.emulator.tokens.has_grant(scene.settings.client.client_id, jonas, ())


def test_when_webex_is_down_the_application_goes_on_asking(scene: Scene) -> None:
    leaver = scene.signed_in(JONAS)
    scene.emulator.faults.add("POST", "*/revoke", Answer(status=503), times=None)

    exit_code, said, _ = disconnect(scene, person_id(scene))

    assert exit_code == 0
    assert "keeps asking" in said
    assert leaver.get("/listrooms").status_code == 401


@pytest.mark.parametrize("person", ["nobody", "", "00000000-0000-0000-0000-000000000000"])
def test_a_person_of_whom_nothing_is_kept_is_a_mistake(scene: Scene, person: str) -> None:
    exit_code, said, mistake = disconnect(scene, person)

    assert (exit_code, said) == (1, "")
    assert mistake.splitlines()[-1].startswith("error: nothing is stored about this person")


def test_a_store_in_memory_cannot_be_reached_from_here(scene: Scene) -> None:
    variables = {**scene.variables, "WEBEX_STORE_URL": "memory:"}

    result = call("disconnect", "x", **variables)

    assert result.exit_code == 1
    assert "the memory: store lives inside the server" in result.stderr
