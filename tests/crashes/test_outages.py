"""A store goes away under load and comes back: 503 in time, no 500, no page for another person.

People look at their pages and spaces, with access tokens that are renewed all the time; others
sign in. Outages begin while refresh tokens are on their way.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest
from crashes.arrivals import arriving
from crashes.outages import (
    NETWORK,
    STORE_SERVERS,
    SYNCS,
    WRITES,
    Outage,
    failing_disk,
    locked,
    needs_tracing,
    why_not,
)
from crashes.people import OWN_PAGE, READINESS, ROOMS, at_work
from crashes.served import (
    AWAY,
    NEWCOMER,
    NEWCOMERS_NAME,
    Served,
    check_answers,
    in_numbers,
    served,
    under_load,
)
from scene import Scene
from services.small_disk import filled, small_disk
from services.sqlite import being_read, integrity
from storm.local_webex import presentations
from torture import IS_TORTURE, size

from webex_oauth.emulator.conditions import RefreshMode
from webex_oauth.vault.records import TOUCH_EVERY_SECONDS

Seen: TypeAlias = Callable[[str, str], None]

ROUNDS = size(1, torture=2)
SERVER_AWAY_SECONDS = size(0, torture=30)
FILE_AWAY_SECONDS = size(0, torture=20)
SLOW_SECONDS = 0.3 if IS_TORTURE else 0.1
SLOW_ROUNDS = size(1, torture=40)
WORKERS = ("--workers", str(size(1, torture=2)))
OUTAGES = (*NETWORK, "restarted", "restarted at once") if IS_TORTURE else ("restarted at once",)

# What each store does by itself is tried every day in tests/contracts.
AWAY_KINDS = STORE_SERVERS if IS_TORTURE else ("postgres",)
SLOW_MODES: tuple[RefreshMode, ...] = ("same", "reuse-detect") if IS_TORTURE else ("same",)
SLOW_KINDS = STORE_SERVERS if IS_TORTURE else ("redis",)


@pytest.mark.torture
@pytest.mark.check("H03", "H04", "H05", "B07")
@pytest.mark.parametrize("kind", AWAY_KINDS)
def test_a_server_out_of_reach_costs_503_in_time_and_nothing_afterwards(
    kind: str, tmp_path: Path, seen: Seen
) -> None:
    with (
        STORE_SERVERS[kind]() as store,
        served(tmp_path, store.url, *WORKERS) as application,
        under_load(application) as load,
    ):
        for name in OUTAGES * ROUNDS:
            with load.during(store.outages[name]):
                time.sleep(SERVER_AWAY_SECONDS)
            load.wait_until_served()
        load.check()

    seen(f"{kind} under load, {in_words(OUTAGES, SERVER_AWAY_SECONDS)}", load.told())


@pytest.mark.torture
@pytest.mark.check("H03", "H04")
@pytest.mark.parametrize("kind", SLOW_KINDS)
@pytest.mark.parametrize("mode", SLOW_MODES)
def test_a_slow_server_costs_time_and_clients_that_hang_up_cost_nothing(
    kind: str, mode: RefreshMode, tmp_path: Path, seen: Seen
) -> None:
    with (
        STORE_SERVERS[kind]() as store,
        served(tmp_path, store.url, refresh_mode=mode) as application,
    ):
        everyone = [*application.people(hangs_up=True), application.stranger(READINESS)]
        with store.proxy.slow(SLOW_SECONDS), at_work(everyone) as people:
            for path in (OWN_PAGE, ROOMS, READINESS) * SLOW_ROUNDS:
                people.wait_for(200, count=2, path=path)
            people.wait_until(lambda: people.hung_up_count > 2 * SLOW_ROUNDS)
            people.wait_until(lambda: bool(presentations(application.emulator)))

        check_answers(people)
        if mode != "same":
            assert set(presentations(application.emulator)) == {1}
        what = f"{kind} (`{mode}`) whose answers come {SLOW_SECONDS} s late, half of them hang up"
        seen(what, f"{in_numbers(people)}, {people.hung_up_count:,} times somebody hung up")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """Yield a path, on a disk of its own where that is going to be filled."""
    if not IS_TORTURE:
        yield tmp_path / "data" / "webex.sqlite"
        return
    with small_disk(tmp_path) as disk:
        yield disk / "webex.sqlite"


@pytest.mark.torture
@pytest.mark.check("H01", "H02", "B07")
def test_a_file_that_cannot_be_written_costs_writers_503_in_time_and_readers_nothing(
    database: Path, tmp_path: Path, seen: Seen
) -> None:
    with served(tmp_path, f"sqlite:///{database}") as application, under_load(application) as load:
        outages = file_outages(application, database)
        for outage in [*outages.values()] * ROUNDS:
            with load.during(outage):
                time.sleep(FILE_AWAY_SECONDS)
            load.wait_until_served()
        load.check()

    assert not load.people.statuses[OWN_PAGE, AWAY]
    assert integrity(database) == "ok"
    seen(f"SQLite under load, {in_words(outages, FILE_AWAY_SECONDS)}", load.told())


def file_outages(application: Served, database: Path) -> Mapping[str, Outage]:
    """Return what can be done to the file here; one outage is enough every day."""
    locked_out: dict[str, Outage] = {"locked by another process": partial(locked, database)}
    failing: dict[str, Outage] = {
        "writes fail with EIO": partial(failing_disk, application.process.worker_ids[0], WRITES),
        "syncs fail with EIO": partial(failing_disk, application.process.worker_ids[0], SYNCS),
    }
    full: dict[str, Outage] = {"disk full while a backup is read": partial(full_and_read, database)}
    if IS_TORTURE:
        return locked_out | full | (failing if why_not() is None else {})
    return locked_out


@contextmanager
def full_and_read(database: Path) -> Iterator[None]:
    """Leave no room, and none to be made by folding the log back."""
    with being_read(database), filled(database.parent):
        yield


@pytest.mark.check("H01")
def test_whose_session_was_long_unused_is_shown_the_page_although_the_file_is_locked(
    tmp_path: Path,
) -> None:
    with Scene(tmp_path) as scene:
        browser = scene.signed_in()
        scene.emulator.clock.advance(2 * TOUCH_EVERY_SECONDS)
        with locked(scene.data_folder / "vault.sqlite"):
            answer = browser.get("/")

    assert "Mira Ito" in answer.text


@needs_tracing()
@pytest.mark.check("H02")
def test_a_disk_that_keeps_nothing_costs_no_reader_and_makes_no_promise(tmp_path: Path) -> None:
    store_url = f"sqlite:///{tmp_path / 'data' / 'webex.sqlite'}"
    with (
        served(tmp_path, store_url) as application,
        at_work([*application.people(), application.stranger(READINESS)]) as people,
        arriving(application.port, NEWCOMER) as arrivals,
    ):
        people.wait_until(lambda: arrivals.admitted)
        with failing_disk(application.process.worker_ids[0], WRITES):
            people.wait_for(503, count=1, path=READINESS)
            people.wait_until(lambda: AWAY in arrivals.statuses)
            ended_count, admitted_count = len(arrivals.ended), len(arrivals.admitted)
            people.wait_until(lambda: len(arrivals.ended) > ended_count + 1)
            assert len(arrivals.admitted) == admitted_count
        people.wait_for(200, count=1, path=READINESS)
        people.wait_until(lambda: len(arrivals.admitted) > admitted_count)
        assert arrivals.forgotten(NEWCOMERS_NAME) == []

    check_answers(people)
    assert not people.statuses[OWN_PAGE, AWAY]


def in_words(outages: Iterable[str], seconds: int) -> str:
    """Return outages in the report's words."""
    return f"{ROUNDS} times each for {seconds} s and more: {', '.join(outages)}"
