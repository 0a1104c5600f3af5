"""People who use the application all the time, and look whether what comes is theirs."""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from scene import Scene

NAMES = {
    "mira@acme.example": "Mira Ito",
    "jonas@acme.example": "Jonas Weber",
    "luca@acme.example": "Luca Moretti",
    "amara@acme.example": "Amara Okafor",
}
"""Who can sign in, and what a page of theirs shows."""

OWN_PAGE = "/"
NEW_SIGN_IN = "/login"
HEALTH = "/healthz"
PATHS = (OWN_PAGE, OWN_PAGE, NEW_SIGN_IN, HEALTH)
GAP_SECONDS = 0.005
SECONDS = 30
LONGEST_STAY_SECONDS = 0.15
"""How long somebody stays at most who is about to hang up."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of one request; `is_own` is None for what is nobody's."""

    path: str
    status: int
    seconds: float
    is_own: bool | None = None


@dataclass
class Person:
    """Somebody who is signed in and asks again and again; *hangs_up* at times before the answer."""

    email: str
    cookies: str
    port: int
    hangs_up: bool = False
    visits: list[Visit] = field(default_factory=list)
    hung_up_count: int = 0
    failures: list[str] = field(default_factory=list)

    def ask_until(self, is_over: threading.Event) -> None:
        """Ask until then."""
        connection = self._connect()
        while not is_over.is_set():
            path = random.choice(PATHS)  # noqa: S311 - no secret
            try:
                if self.hangs_up and random.random() < 0.5:  # noqa: S311 - no secret
                    self._leave(connection, path)
                    connection = self._connect()
                else:
                    self.visits.append(self._visit(connection, path))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
                connection = self._connect()
            time.sleep(GAP_SECONDS)
        connection.close()

    def _visit(self, connection: http.client.HTTPConnection, path: str) -> Visit:
        started_at = time.monotonic()
        connection.request("GET", path, headers={"cookie": self.cookies})
        answer = connection.getresponse()
        body = answer.read().decode()
        is_own = None
        if path == OWN_PAGE and answer.status == HTTPStatus.OK:
            is_own = [name for name in NAMES.values() if name in body] == [NAMES[self.email]]
        return Visit(path, answer.status, time.monotonic() - started_at, is_own)

    def _leave(self, connection: http.client.HTTPConnection, path: str) -> None:
        connection.request("GET", path, headers={"cookie": self.cookies})
        time.sleep(random.uniform(0, LONGEST_STAY_SECONDS))  # noqa: S311 - no secret
        connection.close()
        self.hung_up_count += 1

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("localhost", self.port, timeout=SECONDS)


class People:
    """All of them at once."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = people

    @property
    def visits(self) -> list[Visit]:
        """What came of all requests so far."""
        return [visit for person in self.people for visit in person.visits]

    @property
    def failures(self) -> list[str]:
        """What was no answer at all."""
        return [failure for person in self.people for failure in person.failures]

    @property
    def hung_up_count(self) -> int:
        """How often somebody hung up."""
        return sum(person.hung_up_count for person in self.people)

    @property
    def statuses(self) -> Counter[tuple[str, int]]:
        """Count what came, by path."""
        return Counter((visit.path, visit.status) for visit in self.visits)

    def longest_seconds(self) -> float:
        """How long somebody waited for an answer at most."""
        return max(visit.seconds for visit in self.visits)

    def wait_for(self, status: int, count: int, path: str = OWN_PAGE) -> None:
        """Wait until so many more such answers came."""
        wanted, ends_at = self.statuses[path, status] + count, time.monotonic() + SECONDS
        while self.statuses[path, status] < wanted:
            assert time.monotonic() < ends_at, f"no {status} at {path}: {self.statuses}"
            time.sleep(GAP_SECONDS)


def signed_in_people(scene: Scene, *, hangs_up: bool = False) -> list[Person]:
    """Sign everybody in."""
    people = []
    for email in NAMES:
        cookies = scene.signed_in(email).http.cookies
        header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)
        people.append(Person(email, header, scene.port, hangs_up))
    return people


@contextmanager
def at_work(crowd: Sequence[Person]) -> Iterator[People]:
    """Let them ask for as long as the block lasts."""
    is_over = threading.Event()
    threads = [threading.Thread(target=person.ask_until, args=(is_over,)) for person in crowd]
    for thread in threads:
        thread.start()
    try:
        yield People(crowd)
    finally:
        is_over.set()
        for thread in threads:
            thread.join(SECONDS)
