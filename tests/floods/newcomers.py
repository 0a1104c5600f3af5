"""Newcomers: people who sign in as a browser does, one after the other, while others flood."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import requests

from webex_oauth.emulator import Visitor

SECONDS = 30


@dataclass
class Newcomer:
    """A browser that begins to sign in, and may stay away for long before it comes back."""

    port: int
    email: str
    http: requests.Session = field(default_factory=requests.Session)
    url: str = ""

    def begin(self) -> None:
        """Press the button."""
        answer = self._get(f"http://localhost:{self.port}/login")
        assert answer.status_code == 303, answer.text
        self.url = answer.headers["location"]

    def complete(self) -> int:
        """Consent and come back; give the status of the answer, which is 303 when it worked."""
        status = self._get(Visitor().sign_in(self.url, self.email)).status_code
        self.http.close()
        return status

    @property
    def state(self) -> str:
        """What somebody who looks over the shoulder sees in the address."""
        return parse_qs(urlsplit(self.url).query)["state"][0]

    @property
    def cookies(self) -> str:
        """The cookie header that this browser sends."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies)

    def _get(self, url: str) -> requests.Response:
        return self.http.get(url, allow_redirects=False, timeout=SECONDS)


@dataclass
class Arrivals:
    """Sign-ins in turn: how each ended, and how long it took."""

    port: int
    email: str
    statuses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def sign_in_until_over(self) -> None:
        """Sign in again and again, each time as somebody who was never here."""
        while not self.is_over.is_set():
            newcomer, started_at = Newcomer(self.port, self.email), time.monotonic()
            newcomer.begin()
            self.statuses.append(newcomer.complete())
            self.seconds.append(time.monotonic() - started_at)


@contextmanager
def arriving(port: int, email: str) -> Iterator[Arrivals]:
    """Let newcomers arrive for as long as the block lasts."""
    arrivals = Arrivals(port, email)
    thread = threading.Thread(target=arrivals.sign_in_until_over, name="newcomers")
    thread.start()
    try:
        yield arrivals
    finally:
        arrivals.is_over.set()
        thread.join(SECONDS)
