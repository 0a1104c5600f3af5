"""One hanging part of Webex, and one person who asks for it, take their own places and no more."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from scene import JONAS, MIRA, Scene

from webex_oauth.emulator import Hang
from webex_oauth.flows.bulkhead import API_PLACES, PLACES_OF_ONE, WAIT_SECONDS

HANGING = 200
QUICK_SECONDS = 0.1
SIGN_IN_SECONDS = 5.0


@pytest.fixture
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("bulkhead")) as scene:
        yield scene


def seconds(work: object) -> float:
    """Tell how long *work* takes."""
    assert callable(work)
    began = time.monotonic()
    work()
    return time.monotonic() - began


@pytest.mark.check("G07")
def test_while_one_person_waits_for_200_lists_others_sign_in(scene: Scene) -> None:
    reader, stranger = scene.signed_in(MIRA), scene.browser()
    scene.emulator.faults.add("GET", "/v1/rooms", Hang(limit_seconds=3.0), times=None)

    def read(_: int) -> int:
        other = scene.browser()
        other.http.cookies.update(reader.http.cookies)
        return other.get("/listrooms").status_code

    with ThreadPoolExecutor(HANGING) as readers:
        reading = [readers.submit(read, number) for number in range(HANGING)]
        wait_until_hanging(scene)
        assert scene.emulator.journal.count("GET", "/v1/rooms") == PLACES_OF_ONE
        health = sorted(seconds(lambda: stranger.get("/healthz")) for _ in range(100))
        sign_in_seconds = seconds(lambda: stranger.sign_in(JONAS))
        statuses = [one.result() for one in reading]

    assert health[98] < QUICK_SECONDS
    assert sign_in_seconds < SIGN_IN_SECONDS
    assert set(statuses) <= {502, 504}
    assert statuses.count(502) >= HANGING - API_PLACES
    assert stranger.get("/").status_code == 200


def wait_until_hanging(scene: Scene) -> None:
    """Wait until every place that one person may have is taken."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while scene.emulator.journal.count("GET", "/v1/rooms") < PLACES_OF_ONE:
        assert time.monotonic() < give_up_at, "the readers were too slow"
        time.sleep(0.02)
