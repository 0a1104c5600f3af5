"""A store goes away under load and comes back: 503 in time, no 500, nobody's page for another."""

import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from crashes.outages import NETWORK
from crashes.people import HEALTH, NEW_SIGN_IN, OWN_PAGE, People, Person, at_work, signed_in_people
from crashes.stages import Stage, file_stage, server_stage
from scene import Scene

PROMISED_SECONDS = 2.0
SLACK_SECONDS = 1.0
"""What a busy machine may add, and the part of a request that comes before the store."""

LOCKED_SECONDS = 3.0
STATUSES = {
    OWN_PAGE: {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE},
    NEW_SIGN_IN: {HTTPStatus.SEE_OTHER, HTTPStatus.SERVICE_UNAVAILABLE},
    HEALTH: {HTTPStatus.OK},
}
"""What may come while the store is away; anything else is a mistake."""


def check_promises(people: People) -> None:
    """Nobody waited too long, and nothing came that may not come."""
    came: dict[str, set[int]] = {}
    for path, status in people.statuses:
        came.setdefault(path, set()).add(status)
    assert all(statuses <= STATUSES[path] for path, statuses in came.items()), people.statuses
    assert people.failures == []
    assert people.longest_seconds() < PROMISED_SECONDS + SLACK_SECONDS
    assert {visit.is_own for visit in people.visits} <= {None, True}


@pytest.fixture
def server(server_url: str, tmp_path: Path) -> Iterator[Stage]:
    with server_stage(tmp_path, server_url) as stage:
        yield stage


@pytest.mark.check("H03", "H05")
def test_a_server_out_of_reach_costs_503_in_time_and_nothing_afterwards(server: Stage) -> None:
    with at_work(signed_in_people(server.scene)) as people:
        people.wait_for(200, count=4)
        for name in NETWORK:
            with server.outages[name]():
                people.wait_for(503, count=4)
            people.wait_for(200, count=12)

    check_promises(people)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Stage]:
    with file_stage(tmp_path) as stage:
        yield stage


@pytest.mark.check("H01")
def test_a_locked_file_costs_writers_503_in_time_and_readers_nothing(file: Stage) -> None:
    with at_work(signed_in_people(file.scene)) as people:
        people.wait_for(303, count=5, path=NEW_SIGN_IN)
        with file.outages["locked"]():
            time.sleep(LOCKED_SECONDS)
        people.wait_for(303, count=20, path=NEW_SIGN_IN)

    check_promises(people)
    assert people.statuses[NEW_SIGN_IN, 503]
    assert not people.statuses[OWN_PAGE, 503]


@pytest.mark.check("H02")
def test_a_full_disk_costs_writers_503_and_nothing_once_there_is_room(file: Stage) -> None:
    with at_work(signed_in_people(file.scene)) as people:
        with file.outages["disk full"]():
            people.wait_for(503, count=4, path=NEW_SIGN_IN)
        people.wait_for(303, count=20, path=NEW_SIGN_IN)

    check_promises(people)
    assert not people.statuses[OWN_PAGE, 503]


@pytest.mark.check("H04")
def test_clients_that_hang_up_leave_nobody_the_page_of_another(server: Stage) -> None:
    crowd = [*impatient(server.scene), *impatient(server.scene)]
    with server.outages["slow"](), at_work(crowd) as people:
        people.wait_for(200, count=30)

    check_promises(people)
    assert people.hung_up_count > 30


def impatient(scene: Scene) -> list[Person]:
    """Sign everybody in who is going to hang up."""
    return signed_in_people(scene, hangs_up=True)
