"""A flood: what somebody sends by the thousand who wants a sign-in to be slow, large or wrong."""

from collections.abc import Callable, Iterator
from itertools import cycle, islice

from floods.pouring import Drop, request

from webex_oauth.flows.cookies import CookieJar
from webex_oauth.flows.sign_in import attempt_id
from webex_oauth.secret import Secret

STARTS = ("start", "start with a jar of cookies")
STATUSES = {
    "start": 303,
    "start with a jar of cookies": 303,
    "invented state": 400,
    "invented state and cookie": 400,
    "stolen state": 400,
    "stolen state, invented cookie": 400,
    "malformed callback": 400,
    "invented session": 200,
    "broken cookies": 200,
    "spaces with an invented session": 401,
}
"""What is sent, and what is to come of each."""


class Flood:
    """Write requests for *port*; *stolen_state* is that of somebody else's sign-in.

    *cookies* knows the names of the application's cookies.
    """

    def __init__(self, port: int, cookies: CookieJar, stolen_state: str = "") -> None:
        self._port = port
        self._session, self._attempt = cookies.session_name, cookies.attempt_prefix
        self._state = stolen_state
        self._id = attempt_id(Secret(stolen_state))

    def drops(self, count: int) -> Iterator[Drop]:
        """Return so many, of all kinds in turn."""
        return (self._drop(n, name) for n, name in enumerate(islice(cycle(STATUSES), count)))

    def starts(self, count: int) -> Iterator[Drop]:
        """Return so many that start a sign-in."""
        return (self._drop(n, "start") for n in range(count))

    def _drop(self, n: int, name: str) -> Drop:
        write: dict[str, Callable[[], tuple[str, str]]] = {
            "start": lambda: ("/login", ""),
            "start with a jar of cookies": lambda: ("/login", self._jar_of_cookies(n)),
            "invented state": lambda: (callback(f"{n:043}"), ""),
            "invented state and cookie": lambda: (callback(f"{n:043}"), self._jar_of_cookies(n)),
            "stolen state": lambda: (callback(self._state), ""),
            "stolen state, invented cookie": lambda: (
                callback(self._state),
                f"{self._attempt}{self._id}={n:x}.{n:043}",
            ),
            "malformed callback": lambda: (f"/oauth?code=a&code=b&state={n}", ""),
            "invented session": lambda: ("/", f"{self._session}={n:043}"),
            "broken cookies": lambda: ("/", f"{self._session}=\xff;;=;{n}; webex_oauth_"),
            "spaces with an invented session": lambda: (
                "/listrooms",
                f"{self._session}={n:043}",
            ),
        }
        target, cookies = write[name]()
        return Drop(name, request(self._port, target, f"cookie: {cookies}", *forwarded(n)))

    def _jar_of_cookies(self, n: int) -> str:
        """Write twelve cookies of attempts that never were."""
        return "; ".join(f"{self._attempt}{n:010x}{i:06x}={n:x}.{n:043}" for i in range(12))


def callback(state: str) -> str:
    """Write the address of a callback with an invented code."""
    return f"/oauth?code=invented&state={state}"


def forwarded(n: int) -> tuple[str, ...]:
    """Claim to come from elsewhere, each time from somewhere else."""
    address = f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
    return (
        f"x-forwarded-for: {address}",
        f"x-forwarded-host: {n}.elsewhere.example",
        "x-forwarded-proto: https",
        f'forwarded: for={address};host="{n}.elsewhere.example";proto=https',
    )
