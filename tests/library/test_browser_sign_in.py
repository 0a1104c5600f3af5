"""Signing in at a terminal with this machine's browser: the loopback listener (RFC 8252)."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from edges.command import is_listening, wait_until_refusing
from library.people import LUCA, World
from services.processes import free_port

from webex_oauth import ConfigurationError, Grant, Integration, Settings
from webex_oauth.emulator import Answer, RunningEmulator, Visitor
from webex_oauth.errors import AuthorizationRefused, SignInFailed, SignInTimedOut
from webex_oauth.library import loopback
from webex_oauth.library.loopback import MAX_CONNECTIONS, MAX_HEAD_BYTES

pytestmark = pytest.mark.check("C03")

NOT_OURS = "404 Not Found"


class Terminal:
    """A program at a terminal whose redirect URI is on this machine."""

    def __init__(self, world: World, port: int) -> None:
        self.world, self.port = world, port
        self.seen: list[requests.Response] = []
        self.failure: BaseException | None = None

    def sign_in(self, at_browser: Callable[[str], object], *, seconds: float = 20) -> Grant:
        """Sign in; *at_browser* is what happens in the browser, given the address."""

        def noted(url: str) -> None:
            try:
                at_browser(url)
            except BaseException as error:
                self.failure = error
                raise

        with Integration(self.world.settings) as webex:
            try:
                return webex.sign_in.with_browser(timeout_seconds=seconds, open_browser=noted)
            finally:
                assert self.failure is None, repr(self.failure)

    def accept(self, url: str) -> None:
        """Accept, and follow the callback to its end."""
        self.follow(Visitor().sign_in(url, LUCA))

    def follow(self, url: str) -> None:
        self.seen.append(requests.get(url, timeout=20))

    def ask(self, request: bytes) -> str:
        """Send octets; return the first line of the answer, empty if there is none."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(request)
            return connection.makefile("rb").readline().decode().strip().removeprefix("HTTP/1.1 ")

    def callback(self, url: str, **fields: str) -> str:
        """Return a callback of this attempt that says *fields*."""
        state = parse_qs(urlsplit(url).query)["state"][0]
        query = "&".join(f"{k}={quote(v)}" for k, v in {"state": state, **fields}.items())
        return f"http://localhost:{self.port}/oauth?{query}"


@pytest.fixture
def terminal(running: RunningEmulator, tmp_path: Path) -> Iterator[Terminal]:
    port = free_port()
    yield Terminal(World(running.emulator, tmp_path, f"http://localhost:{port}/oauth"), port)
    running.emulator.faults.clear()


def test_a_person_signs_in_with_the_browser_of_this_machine(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    grant = terminal.sign_in(terminal.accept)

    assert (grant.email, grant.status) == (LUCA, "active")
    assert capsys.readouterr().err.startswith("Open http")
    assert not is_listening(terminal.port)


@pytest.mark.parametrize("host", ["127.0.0.80", "127.0.0.80:80"])
def test_the_usual_port_is_named_in_the_redirect_uri_and_by_browsers_or_not(
    running: RunningEmulator, tmp_path: Path, host: str
) -> None:
    try:
        socket.create_server(("127.0.0.80", 80)).close()
    except OSError as error:
        pytest.skip(f"this machine does not lend the port: {error.strerror}")
    terminal = Terminal(World(running.emulator, tmp_path, f"http://{host}/oauth"), 80)

    assert terminal.sign_in(terminal.accept).email == LUCA


@pytest.mark.check("C06")
def test_the_last_page_has_no_code_in_its_address_and_loads_nothing(terminal: Terminal) -> None:
    terminal.sign_in(terminal.accept)

    [page] = terminal.seen
    [callback] = page.history
    assert (callback.status_code, callback.headers["location"]) == (303, "/oauth")
    assert page.url == f"http://localhost:{terminal.port}/oauth"
    assert "<h1>Signed in</h1>" in page.text
    for answer in (callback, page):
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert not {"http:", "https:", "src=", "href="} & set(page.text.replace('"', " ").split())


@pytest.mark.check("C06")
def test_the_page_shows_the_text_of_an_error_as_text(terminal: Terminal) -> None:
    text = "<script>alert(1)</script>&lt;b&gt; \u202eniaga"

    def decline(url: str) -> None:
        fields = {"error": "access_denied", "error_description": text}
        terminal.follow(terminal.callback(url, **fields))

    with pytest.raises(AuthorizationRefused, match="access_denied"):
        terminal.sign_in(decline)

    page = terminal.seen[0].text
    assert "<h1>Not signed in</h1>" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;lt;b&amp;gt;" in page
    assert "<script" not in page
    assert "\u202e" not in page


@pytest.mark.bound("head of a terminal's callback")
def test_whatever_else_comes_first_is_turned_away_and_the_sign_in_goes_on(
    terminal: Terminal,
) -> None:
    host = f"Host: localhost:{terminal.port}\r\n\r\n"
    state = "A" * 43
    answers: dict[str, str] = {}

    def be_attacked_then_accept(url: str) -> None:
        good = terminal.callback(url, code="stolen").removeprefix(
            f"http://localhost:{terminal.port}"
        )
        for name, request in {
            "another path": f"GET /favicon.ico HTTP/1.1\r\n{host}",
            "a path that ends otherwise": f"GET /oauth/?code=x&state={state} HTTP/1.1\r\n{host}",
            "no query": f"GET /oauth HTTP/1.1\r\n{host}",
            "an unknown state": f"GET /oauth?code=x&state={state} HTTP/1.1\r\n{host}",
            "an error for an unknown state": f"GET /oauth?error=x&state={state} HTTP/1.1\r\n{host}",
            "no state": f"GET /oauth?error=access_denied HTTP/1.1\r\n{host}",
            "two states": f"GET {good}&state=x HTTP/1.1\r\n{host}",
            "another host": f"GET {good} HTTP/1.1\r\nHost: evil.example:{terminal.port}\r\n\r\n",
            "the literal": f"GET {good} HTTP/1.1\r\nHost: 127.0.0.1:{terminal.port}\r\n\r\n",
            "two hosts": f"GET {good} HTTP/1.1\r\nHost: x\r\n{host}",
            "no host": f"GET {good} HTTP/1.0\r\n\r\n",
            "a post": f"POST {good} HTTP/1.1\r\n{host}",
            "an absolute target": f"GET http://evil.example{good} HTTP/1.1\r\n{host}",
            "no HTTP": "hello\r\n\r\n",
            "a blank": "GET /oauth? code=x HTTP/1.1\r\n\r\n",
        }.items():
            answers[name] = terminal.ask(request.encode())
        answers["too much"] = terminal.ask(
            b"GET /oauth HTTP/1.1\r\nX: " + b"x" * 2 * MAX_HEAD_BYTES
        )
        terminal.accept(url)

    grant = terminal.sign_in(be_attacked_then_accept)

    assert grant.email == LUCA
    assert answers.pop("too much") == ""
    assert set(answers.values()) == {NOT_OURS}, answers


@pytest.mark.bound("connections to a waiting terminal")
def test_connections_that_say_nothing_do_not_keep_the_browser_out(
    terminal: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as open_ones:

        def be_crowded_then_accept(url: str) -> None:
            for _ in range(3 * MAX_CONNECTIONS):
                open_ones.enter_context(socket.create_connection(("127.0.0.1", terminal.port)))
            terminal.accept(url)

        assert terminal.sign_in(be_crowded_then_accept).email == LUCA
    wait_until_refusing(terminal.port)
    assert [record for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.bound("time of a terminal's callback")
def test_a_slow_request_is_dropped(terminal: Terminal) -> None:
    def be_slow_then_accept(url: str) -> None:
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", terminal.port)) as connection:
            connection.sendall(b"GET /oauth")
            assert connection.recv(1) == b""
        assert time.monotonic() - began < 2 * loopback.HEAD_SECONDS
        terminal.accept(url)

    assert terminal.sign_in(be_slow_then_accept).email == LUCA


def test_a_second_delivery_of_the_callback_changes_nothing(terminal: Terminal) -> None:
    def deliver_twice(url: str) -> None:
        callback = Visitor().sign_in(url, LUCA)
        second = threading.Thread(target=requests.get, args=(callback,), kwargs={"timeout": 20})
        second.start()
        terminal.follow(callback)
        second.join()

    assert terminal.sign_in(deliver_twice).email == LUCA


def test_only_this_machines_own_addresses_are_listened_on(terminal: Terminal) -> None:
    found: set[str] = set()

    def look_then_accept(url: str) -> None:
        found.update(addresses_listening_on(terminal.port))
        terminal.accept(url)

    terminal.sign_in(look_then_accept)

    assert "127.0.0.1" in found
    assert found <= {"127.0.0.1", "::1"}


def addresses_listening_on(port: int) -> Iterator[str]:
    for path, family in (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6)):
        for line in Path(path).read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, at = local.partition(":")
            if state == "0A" and int(at, 16) == port:
                words = [bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8)]
                yield socket.inet_ntop(family, b"".join(words))


@pytest.mark.check("C07")
def test_a_browser_that_never_comes_back_ends_the_wait(terminal: Terminal) -> None:
    with pytest.raises(SignInTimedOut, match="no browser came back within 1 s"):
        terminal.sign_in(lambda _: None, seconds=1)

    assert not is_listening(terminal.port)


@pytest.mark.check("C07")
def test_a_machine_without_a_browser_is_told_the_address_alone(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: str) -> None:
        threading.Thread(target=lambda: terminal.accept(capsys.readouterr().err.split()[1])).start()
        raise OSError("no browser")

    with Integration(terminal.world.settings) as webex:
        assert webex.sign_in.with_browser(timeout_seconds=20, open_browser=fail).email == LUCA


@pytest.mark.check("C07")
@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_a_port_in_use_is_one_mistake(
    terminal: Terminal, family: socket.AddressFamily, address: str
) -> None:
    with (
        occupied(family, address, terminal.port),
        pytest.raises(ConfigurationError, match="cannot listen on") as refused,
    ):
        terminal.sign_in(lambda _: None)

    [mistake] = refused.value.mistakes
    assert "device grant" in mistake


@contextmanager
def occupied(family: socket.AddressFamily, address: str, port: int) -> Iterator[None]:
    try:
        listener = socket.create_server((address, port), family=family)
    except OSError:
        pytest.skip(f"this machine has no {address}")
    with listener:
        yield


def test_a_redirect_uri_elsewhere_is_one_mistake_that_says_what_to_register(
    tmp_path: Path,
) -> None:
    settings = Settings(
        client_id="C0ffee",
        client_secret="a0" * 32,
        redirect_uri="https://spaces.example/oauth",
        scopes=["spark:people_read"],
        store_url=f"sqlite:///{tmp_path}/vault.sqlite",
        keys_file=tmp_path / "keys",
    )
    with (
        Integration(settings) as webex,
        pytest.raises(ConfigurationError, match="register http://localhost:8080/oauth"),
    ):
        webex.sign_in.with_browser()


def test_what_fails_behind_the_callback_is_told_at_the_terminal_and_in_the_browser(
    terminal: Terminal,
) -> None:
    terminal.world.emulator.faults.add("POST", "/v1/access_token", Answer(status=503), times=None)

    with pytest.raises(SignInFailed, match="Webex answered 503"):
        terminal.sign_in(terminal.accept)

    assert "Webex answered 503" in terminal.seen[0].text
