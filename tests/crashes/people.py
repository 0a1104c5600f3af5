"""People who use the application all the time, and look whether what comes is theirs."""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

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
ROOMS = "/listrooms"
READINESS = "/readyz"
PATHS = (OWN_PAGE, OWN_PAGE, NEW_SIGN_IN, HEALTH)
WITH_ROOMS = (*PATHS, ROOMS)
GAP_SECONDS = 0.005
LOOK_AGAIN_SECONDS = 0.02
SECONDS = 30
LONGEST_STAY_SECONDS = 0.15
"""The longest wait before a client hangs up."""


@dataclass(frozen=True, slots=True)
class Visit:
    """The outcome of one request; `is_own` is None for a page that belongs to no one."""

    path: str
    status: int
    seconds: float
    is_own: bool | None = None


@dataclass
class Person:
    """A signed-in person who sends requests all the time; *hangs_up* at times before the answer."""

    email: str
    cookies: str
    port: int
    hangs_up: bool = False
    paths: tuple[str, ...] = PATHS
    visits: list[Visit] = field(default_factory=list)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    hung_up_count: int = 0
    failures: list[str] = field(default_factory=list)

    def ask_until(self, is_over: threading.Event) -> None:
        """Ask until then."""
        connection = self._connect()
        try:
            while not is_over.is_set():
                self._ask_once(connection)
                time.sleep(GAP_SECONDS)
        finally:
            connection.close()

    def _ask_once(self, connection: http.client.HTTPConnection) -> None:
        """Ask; a connection that is closed meanwhile is made anew by the next request."""
        path = random.choice(self.paths)  # noqa: S311 - no secret
        try:
            if self.hangs_up and random.random() < 0.5:  # noqa: S311 - no secret
                self._leave(connection, path)
            else:
                self._note(self._visit(connection, path))
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(repr(error))
            connection.close()

    def _note(self, visit: Visit) -> None:
        self.visits.append(visit)
        self.statuses[visit.path, visit.status] += 1

    def _visit(self, connection: http.client.HTTPConnection, path: str) -> Visit:
        started_at = time.monotonic()
        connection.request("GET", path, headers={"cookie": self.cookies})
        answer = connection.getresponse()
        body = answer.read().decode()
        is_own = None
        if path in (OWN_PAGE, ROOMS) and answer.status == HTTPStatus.OK:
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
        """How often a client hung up."""
        return sum(person.hung_up_count for person in self.people)

    @property
    def statuses(self) -> Counter[tuple[str, int]]:
        """Count what came, by path."""
        return sum((person.statuses.copy() for person in self.people), Counter())

    def longest_seconds(self, *statuses: int) -> float:
        """Return the longest wait for an answer with one of *statuses*, or with any."""
        return max(
            (one.seconds for one in self.visits if not statuses or one.status in statuses),
            default=0.0,
        )

    def count(self, status: int) -> int:
        """Count such answers, whatever was asked for."""
        return sum(n for (_, came), n in self.statuses.items() if came == status)

    def wait_for(self, status: int, count: int, path: str = OWN_PAGE) -> None:
        """Wait until so many more such answers came."""
        wanted = self.statuses[path, status] + count
        self.wait_until(lambda: self.statuses[path, status] >= wanted)

    def wait_until(self, is_so: Callable[[], object]) -> None:
        """Wait for what is to come of it all."""
        ends_at = time.monotonic() + SECONDS
        while not is_so():
            assert time.monotonic() < ends_at, f"not in time: {self.statuses}"
            time.sleep(LOOK_AGAIN_SECONDS)


@contextmanager
def at_work(people: Sequence[Person]) -> Iterator[People]:
    """Run their requests during the block."""
    is_over = threading.Event()
    threads = [threading.Thread(target=person.ask_until, args=(is_over,)) for person in people]
    for thread in threads:
        thread.start()
    try:
        yield People(people)
    finally:
        is_over.set()
        for thread in threads:
            thread.join(SECONDS)
