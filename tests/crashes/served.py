"""Served: `webex-oauth serve` beside a local Webex whose access tokens are renewed all the time.

Every refresh takes a while, so that an outage meets some on the way. By default it spends its
refresh token, and a spent one that is presented again costs the grant.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

from crashes.arrivals import Arrivals, arrive, arriving
from crashes.outages import Outage
from crashes.people import (
    HEALTH,
    NAMES,
    NEW_SIGN_IN,
    OWN_PAGE,
    READINESS,
    ROOMS,
    WITH_ROOMS,
    People,
    Person,
    at_work,
)
from edges.command import Server, env_text, server, wait_until_listening
from services.processes import free_port
from storm.local_webex import TOKEN_PATH, presentations
from torture import IS_TORTURE

from webex_oauth.emulator import (
    Delay,
    Emulator,
    Options,
    RunningEmulator,
    World,
    seeded_world,
    titled_rooms,
)
from webex_oauth.emulator.conditions import RefreshMode

NEWCOMER = "noor@acme.example"
NEWCOMERS_NAME = "Noor Haddad"
TOKEN_SECONDS = 1.0 if IS_TORTURE else 0.7
RESCUED = "could not be stored and are rescued"


@dataclass(frozen=True, slots=True)
class Served:
    """An application at work, in a process of its own."""

    process: Server
    emulator: Emulator
    port: int

    def people(self, *, hangs_up: bool = False) -> list[Person]:
        """Sign everybody in."""
        arrivals = {email: arrive(self.port, email) for email in NAMES}
        assert all(arrival.is_admitted for arrival in arrivals.values())
        return [
            Person(email, arrival.cookies, self.port, hangs_up, WITH_ROOMS)
            for email, arrival in arrivals.items()
        ]

    def stranger(self, path: str) -> Person:
        """Return a person who is not signed in and asks for *path* alone."""
        return Person(NEWCOMER, "", self.port, paths=(path,))

    def keep_tokens_back(self) -> None:
        """Delay every answer of the token endpoint."""
        self.emulator.faults.add("POST", TOKEN_PATH, Delay(TOKEN_SECONDS), times=None)

    def count(self, line: str) -> int:
        """Count what it has written."""
        return self.process.output.count(line)

    def latest_token_request(self) -> int:
        """Return the number of the latest token request."""
        requests = self.emulator.journal.matching("POST", TOKEN_PATH)
        return max((request.number for request in requests), default=-1)


@contextmanager
def served(
    folder: Path, store_url: str, *options: str, refresh_mode: RefreshMode = "reuse-detect"
) -> Iterator[Served]:
    """Run an application on the store at *store_url*, and its Webex."""
    port, more = free_port(), {"WEBEX_STORE_URL": store_url, "DEBUG": ""}
    options_of_webex = Options(
        access_token_lifetime_seconds=61,  # good for one second: a minute is kept in reserve
        refresh_mode=refresh_mode,
        requests_per_minute=0,
        access_token_quota=0,
    )
    with RunningEmulator(world=small_world(), options=options_of_webex) as running:
        (folder / ".env").write_text(env_text(running.emulator, port, more))
        with server(folder, "serve", *options) as process:
            process.line_with("Open ")
            wait_until_listening(port)
            yield Served(process, running.emulator, port)


def small_world() -> World:
    """Return a world in which each person is in one space, named after them."""
    seeded, world = seeded_world(), World()
    known = {person.email: person for person in seeded.people}
    noor = replace(known["mira@acme.example"], uuid=str(UUID(int=1, version=4)), email=NEWCOMER)
    for person in (*(known[email] for email in NAMES), replace(noor, display_name=NEWCOMERS_NAME)):
        world.add_person(person, partial(titled_rooms, person, [f"{person.display_name} plans"]))
    return world


LONGEST_SECONDS = 5.0
"""What is promised is two; a busy machine, and what comes before the store, may add to it."""

FIRST_REFUSALS = 5
AWAY = HTTPStatus.SERVICE_UNAVAILABLE
STATUSES = {
    OWN_PAGE: {HTTPStatus.OK, AWAY},
    ROOMS: {HTTPStatus.OK, AWAY},
    NEW_SIGN_IN: {HTTPStatus.SEE_OTHER, AWAY},
    HEALTH: {HTTPStatus.OK},
    READINESS: {HTTPStatus.OK, AWAY},
}
"""What may come while the store is away; anything else is a mistake."""


@dataclass(frozen=True, slots=True)
class Load:
    """Everybody who uses an application while its store fails."""

    application: Served
    people: People
    arrivals: Arrivals

    @contextmanager
    def during(self, outage: Outage) -> Iterator[None]:
        """Begin an outage with a refresh on its way; wait until all of it shows."""
        wanted, rescued_count = (
            self._refused_count() + FIRST_REFUSALS,
            self.application.count(RESCUED),
        )
        self._wait_until_refreshing()
        with outage():
            self.people.wait_for(AWAY, count=1, path=READINESS)
            self.people.wait_until(lambda: self._refused_count() >= wanted)
            self.people.wait_until(lambda: self.application.count(RESCUED) > rescued_count)
            yield

    def wait_until_served(self) -> None:
        """Wait until everything works: pages, tokens, sign-ins, and the server says so."""
        self.people.wait_for(HTTPStatus.OK, count=1, path=READINESS)
        self.people.wait_for(HTTPStatus.OK, count=2)
        self._wait_for_everybody()
        admitted_count = len(self.arrivals.admitted)
        self.people.wait_until(lambda: len(self.arrivals.admitted) > admitted_count)

    def check(self) -> None:
        """Check that no one waited too long, saw another's data, or lost what was there."""
        check_answers(self.people)
        assert self.arrivals.statuses <= {HTTPStatus.SEE_OTHER, AWAY}
        assert self.arrivals.forgotten(NEWCOMERS_NAME) == []
        assert set(presentations(self.application.emulator)) == {1}

    def told(self) -> str:
        """Return what came of it, in words."""
        return (
            f"{in_numbers(self.people)}; {len(self.arrivals.admitted):,} sign-ins, none lost; "
            f"{len(presentations(self.application.emulator)):,} refreshes, of which "
            f"{self.application.count(RESCUED):,} were rescued, none presented twice"
        )

    def _wait_for_everybody(self) -> None:
        """Wait until each person has used a token once more."""
        users = [person for person in self.people.people if ROOMS in person.paths]
        before = [person.statuses[ROOMS, HTTPStatus.OK] for person in users]
        self.people.wait_until(
            lambda: all(
                person.statuses[ROOMS, HTTPStatus.OK] > count
                for person, count in zip(users, before, strict=True)
            )
        )

    def _wait_until_refreshing(self) -> None:
        """Wait until a refresh token is on its way, while no one signs in."""
        with self.arrivals.turn:
            latest = self.application.latest_token_request()
            self.people.wait_until(lambda: self.application.latest_token_request() > latest)

    def _refused_count(self) -> int:
        arrived = sum(arrival.status == AWAY for arrival in self.arrivals.ended)
        return arrived + self.people.count(AWAY) - self.people.statuses[READINESS, AWAY]


def in_numbers(people: People) -> str:
    """Return what came of all requests, in numbers."""
    count, refused_count = len(people.visits), people.count(AWAY)
    if not refused_count:
        return f"{count:,} requests, no error, {people.longest_seconds():.1f} s at most"
    longest_seconds = people.longest_seconds(AWAY)
    return (
        f"{count:,} requests, {refused_count:,} times 503 after {longest_seconds:.1f} s at most, "
        "no other error"
    )


def check_answers(people: People) -> None:
    """Check that no one waited too long, and that every answer is an allowed one."""
    came: dict[str, set[int]] = {}
    for path, status in people.statuses:
        came.setdefault(path, set()).add(status)
    assert all(statuses <= STATUSES[path] for path, statuses in came.items()), people.statuses
    assert people.failures == []
    assert people.longest_seconds() < LONGEST_SECONDS
    assert {visit.is_own for visit in people.visits} <= {None, True}


@contextmanager
def under_load(application: Served) -> Iterator[Load]:
    """Run people who use an application during the block."""
    everyone = [*application.people(), application.stranger(READINESS)]
    application.keep_tokens_back()
    with at_work(everyone) as people, arriving(application.port, NEWCOMER) as arrivals:
        yield Load(application, people, arrivals)
