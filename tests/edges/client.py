"""A client that hides nothing: every header as it came, cookies kept whatever they say."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from scene import MIRA, Scene

from webex_oauth.emulator import Visitor

FORM = "application/x-www-form-urlencoded"
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are in lower case and may repeat."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        """Return the only value of a header; empty when there is none."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else ""


@dataclass
class Client:
    """Send requests to a scene's application by its address, under the name that is public."""

    scene: Scene
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The Host header that the application answers."""
        return urlsplit(self.scene.origin).netloc

    def send(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request on a connection of its own; an own *host* header wins."""
        sent = {"host": self.host, "cookie": self._cookie_header(), **(headers or {})}
        connection = http.client.HTTPConnection("127.0.0.1", self.scene.port, TIMEOUT_SECONDS)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value:
                    connection.putheader(name, value)
            if body:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            pairs = tuple((name.lower(), value) for name, value in answer.getheaders())
            whole = Answer(answer.status, pairs, answer.read())
        finally:
            connection.close()
        self._keep_cookies(whole)
        return whole

    def get(self, target: str, **headers: str) -> Answer:
        """Ask for a page; an underscore in a header's name stands for its hyphen."""
        return self.send("GET", target, headers=_named(headers))

    def post(self, target: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """Send a form as a page of the application does."""
        own = {"origin": self.scene.origin, "sec-fetch-site": "same-origin", "content-type": FORM}
        return self.send("POST", target, urlencode(fields).encode(), own | _named(headers))

    def start(self, return_to: str = "/") -> str:
        """Press the button; return the URL at Webex."""
        return self.post(self.at("/login"), {"return_to": return_to}).one("location")

    def at(self, page: str) -> str:
        """Return the path of a page, which may be below the redirect URI's folder."""
        return self.scene.settings.path_of(page)

    def callback(self, email: str = MIRA, return_to: str = "/") -> str:
        """Walk up to the callback, and give its path and query without going there."""
        url = Visitor().sign_in(self.start(return_to), email, "accept")
        return url.removeprefix(self.scene.origin)

    def sign_in(self, email: str = MIRA, return_to: str = "/") -> Answer:
        """Walk the whole way; return the callback's answer."""
        answer = self.get(self.callback(email, return_to))
        assert answer.status == 303, answer.text
        return answer

    def csrf_token(self) -> str:
        """Read the token that this session's pages carry."""
        page = self.get(self.at("/")).text
        return page.partition('name="csrf_token" value="')[2].partition('"')[0]

    def _cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _keep_cookies(self, answer: Answer) -> None:
        for header in answer.all("set-cookie"):
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


def signed_in(scene: Scene, email: str = MIRA) -> Client:
    """Open a client and sign *email* in."""
    client = Client(scene)
    client.sign_in(email)
    return client


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
