"""A person's browser, as far as a sign-in needs one: cookies, redirects, and the trip to Webex."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.connection import Answer, Connection, connect
from bench.world import PERSON_NAME, ROW_MARKER, Account, room_marker

_STATE_IN_PAGE = re.compile(rb"/v1/authorize\?[^\"']*?\bstate=([A-Za-z0-9._~-]+)")
_REDIRECTS = (302, 303, 307)
_MOST_REDIRECTS = 5


class UnexpectedAnswerError(Exception):
    """The server under test did not answer what a person would need to see."""


class Browser:
    """One browser with one connection and a jar of its own."""

    def __init__(self, port: int, marker: bytes | None = None) -> None:
        self._port = port
        self._marker = marker
        self._cookies: dict[bytes, bytes] = {}
        self._connection: Connection | None = None

    def forget(self) -> None:
        """Drop all cookies, as a new person at the same connection would."""
        self._cookies.clear()

    def close(self) -> None:
        """Hang up."""
        if self._connection:
            self._connection.close()

    def request(self, target: str) -> bytes:
        """Build the request of a page with the cookies as they are now."""
        cookies = b"; ".join(b"=".join(pair) for pair in self._cookies.items())
        return b"GET %s HTTP/1.1\r\nhost: localhost:%d\r\naccept: text/html\r\n%s\r\n" % (
            target.encode(),
            self._port,
            b"cookie: %s\r\n" % cookies if cookies else b"",
        )

    async def ask(self, request: bytes) -> Answer:
        """Send a request that was built before, on a connection opened anew where needed."""
        connection = await self._open_connection()
        return await connection.ask(request)

    async def _open_connection(self) -> Connection:
        if self._connection is None or not self._connection.is_open:
            self._connection = await connect(self._port, self._marker)
        return self._connection

    async def visit(self, target: str) -> Answer:
        """Ask for a page and keep the cookies it sets."""
        answer = await self.ask(self.request(target))
        for name, value in answer.headers:
            if name == b"set-cookie":
                self._keep_cookie(value)
        return answer

    async def _visit_and_follow(self, target: str) -> Answer:
        """Ask for a page, and for what it redirects to as long as that is on the same server."""
        answer = await self.visit(target)
        for _ in range(_MOST_REDIRECTS):
            if answer.status not in _REDIRECTS or not is_path(location_of(answer)):
                break
            answer = await self.visit(location_of(answer))
        return answer

    def _keep_cookie(self, header: bytes) -> None:
        pair, _, attributes = header.partition(b";")
        name, _, value = pair.strip().partition(b"=")
        if not value or b"max-age=0" in attributes.lower():
            self._cookies.pop(name, None)
            return
        self._cookies[name] = value

    async def sign_in(self, start: str, account: Account) -> None:
        """Walk the whole sign-in: start, Webex's answer, callback, and the page with the name."""
        state = read_state(await self._visit_and_follow(start))
        callback = "/oauth?" + urlencode({"code": account.code, "state": state})
        answer = await self._visit_and_follow(callback)
        if answer.status != 200 or PERSON_NAME.encode() not in answer.body:
            raise UnexpectedAnswerError(
                f"sign-in ended with {answer.status}: {answer.body[:300]!r}"
            )


def location_of(answer: Answer) -> str:
    """Return where a redirect leads."""
    for name, value in answer.headers:
        if name == b"location":
            return value.decode()
    raise UnexpectedAnswerError(f"a redirect without a location: {answer.status}")


def is_path(location: str) -> bool:
    """Tell whether a location is a path, so that it leads to the same server."""
    return location.startswith("/") and not location.startswith("//")


def read_state(answer: Answer) -> str:
    """Take the state from the redirect to Webex, or from the link on the page that leads there."""
    if answer.status in _REDIRECTS:
        states = parse_qs(urlsplit(location_of(answer)).query).get("state", [])
        if len(states) == 1:
            return states[0]
    link = _STATE_IN_PAGE.search(answer.body)
    if answer.status == 200 and link:
        return link[1].decode()
    raise UnexpectedAnswerError(f"no sign-in began: {answer.status} {answer.body[:300]!r}")


def check_rooms(answer: Answer, room_count: int) -> None:
    """Refuse an answer that does not show all rooms, each as often as any other."""
    shown = answer.body.count(ROW_MARKER)
    is_whole = shown >= room_count and shown % room_count == 0
    if answer.status != 200 or not is_whole or room_marker(room_count - 1) not in answer.body:
        raise UnexpectedAnswerError(
            f"{answer.status} with {shown} of {room_count} rooms: {answer.body[:300]!r}"
        )
