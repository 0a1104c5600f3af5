"""One hanging part of Webex, and one person who asks for it, take their own places and no more."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from scene import JONAS, MIRA, Scene
from waiting import until

from webex_oauth.emulator import Hang
from webex_oauth.flows.context import API_PLACES, PLACES_OF_ONE

HANGING = 200


@pytest.fixture
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("bulkhead")) as scene:
        yield scene


@pytest.mark.check("G07")
def test_while_one_person_waits_for_200_lists_others_sign_in(scene: Scene) -> None:
    reader, stranger = scene.signed_in(MIRA), scene.browser()
    scene.emulator.faults.add("GET", "/v1/rooms", Hang(limit_seconds=8.0), times=None)

    def read(_: int) -> int:
        other = scene.browser()
        other.http.cookies.update(reader.http.cookies)
        return other.get("/listrooms").status_code

    with ThreadPoolExecutor(HANGING) as readers:
        reading = [readers.submit(read, number) for number in range(HANGING)]
        wait_until_hanging(scene)
        assert scene.emulator.journal.count("GET", "/v1/rooms") == PLACES_OF_ONE
        health = {stranger.get("/healthz").status_code for _ in range(100)}
        signed_in = stranger.sign_in(JONAS)
        is_still_hanging = not all(one.done() for one in reading)
        statuses = [one.result() for one in reading]

    assert (health, signed_in.status_code, is_still_hanging) == ({200}, 303, True)
    assert set(statuses) <= {502, 504}
    assert statuses.count(502) >= HANGING - API_PLACES
    assert stranger.get("/").status_code == 200


def wait_until_hanging(scene: Scene) -> None:
    """Wait until every place that one person may have is taken."""
    until(lambda: scene.emulator.journal.count("GET", "/v1/rooms") >= PLACES_OF_ONE)
