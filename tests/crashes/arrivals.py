"""Arrivals: one person signs in again and again, and every sign-in that succeeded is remembered.

Whatever happens to the store meanwhile, those sessions have to be there afterwards.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import requests

from webex_oauth.emulator import Visitor

SECONDS = 30
GAP_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Arrival:
    """How one sign-in ended, the browser's cookies then, and how long it took."""

    status: int
    cookies: str
    seconds: float

    @property
    def is_admitted(self) -> bool:
        """Whether the browser was told that it is signed in."""
        return self.status == HTTPStatus.SEE_OTHER


def arrive(port: int, email: str) -> Arrival:
    """Sign *email* in at the application on *port*, in a browser that was never there."""
    started_at = time.monotonic()
    with requests.Session() as browser:
        answer = _get(browser, f"http://localhost:{port}/login")
        if answer.status_code == HTTPStatus.SEE_OTHER:
            answer = _get(browser, Visitor().sign_in(answer.headers["location"], email))
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)
    return Arrival(answer.status_code, cookies, time.monotonic() - started_at)


def _get(browser: requests.Session, url: str) -> requests.Response:
    return browser.get(url, allow_redirects=False, timeout=SECONDS)


@dataclass
class Arrivals:
    """What came of all sign-ins; who holds `turn` keeps the next one waiting."""

    port: int
    email: str
    turn: threading.Lock = field(default_factory=threading.Lock)
    ended: list[Arrival] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def admitted(self) -> list[Arrival]:
        """Those who were told that they are signed in."""
        return [arrival for arrival in self.ended if arrival.is_admitted]

    @property
    def statuses(self) -> set[int]:
        """What came."""
        return {arrival.status for arrival in self.ended}

    def longest_seconds(self) -> float:
        """How long one sign-in took at most."""
        return max(arrival.seconds for arrival in self.ended)

    def arrive_until_over(self) -> None:
        """Sign in until it is over."""
        while not self.is_over.wait(GAP_SECONDS):
            with self.turn:
                self.ended.append(arrive(self.port, self.email))

    def forgotten(self, name: str) -> list[Arrival]:
        """Find those who were admitted and are not shown *name* on their page."""
        with requests.Session() as http:
            return [one for one in self.admitted if name not in self._page(http, one)]

    def _page(self, http: requests.Session, arrival: Arrival) -> str:
        url, headers = f"http://localhost:{self.port}/", {"cookie": arrival.cookies}
        return http.get(url, headers=headers, timeout=SECONDS).text


@contextmanager
def arriving(port: int, email: str) -> Iterator[Arrivals]:
    """Sign *email* in again and again during the block."""
    arrivals = Arrivals(port, email)
    thread = threading.Thread(target=arrivals.arrive_until_over, name="arrivals")
    thread.start()
    try:
        yield arrivals
    finally:
        arrivals.is_over.set()
        thread.join(SECONDS)
