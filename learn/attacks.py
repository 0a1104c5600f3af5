"""Attack the ladder: Jonas attacks, and Mira uses the application that he attacks.

    python learn/attacks.py        # every step; or name some of them: attacks.py 2 3

Each attack succeeds on the steps before its defence, and fails from there on. The Python that runs
it has webex-oauth installed, which brings the local Webex.
"""

import html
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import IO, NamedTuple, Self
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

from webex_oauth.emulator import Answer, Delay, Emulator, RunningEmulator, Slow, Visitor, sample_env

STEPS = sorted(Path(__file__).parent.glob("[1-6]_*.py"))
MIRA, JONAS = "mira@acme.example", "jonas@acme.example"
SECRET = re.compile(r"\w+_EMULATOR_[\w-]+")  # codes and tokens of the local Webex
PATIENCE_SECONDS = 30
FIFTEEN_DAYS = 15 * 86_400  # an access token lives for 14

# Stopped by step 2 --------------------------------------------------------------------------------


def known_state(app: "App") -> bool:
    """Jonas has read the address of somebody's sign-in. He uses it too, up to the last redirect."""
    mira, victim = Browser(app), Browser(app)
    seen = mira.start_link()
    mira.open(callback(seen, MIRA))
    victim.open(callback(seen, JONAS))
    return "Jonas" in victim.open("/").text


# Stopped by step 3 --------------------------------------------------------------------------------


def foreign_callback(app: "App") -> bool:
    """Jonas begins a sign-in, accepts as himself, and lets Mira's browser open the callback."""
    mira = Browser(app)
    mira.open(callback(Browser(app).start_link(), JONAS))
    return "Jonas" in mira.open("/").text


def planted_session(app: "App") -> bool:
    """Jonas plants the cookie of his session in Mira's browser, and waits for her to sign in."""
    mira, jonas = Browser(app), Browser(app)
    jonas.open("/")
    mira.take_cookies_of(jonas)
    mira.sign_in(MIRA)
    return "Mira" in jonas.open("/").text


def forged_sign_out(app: "App") -> bool:
    """Mira opens a page of Jonas's, which sends her browser to the sign-out in every way it can."""
    mira, without_cookies = Browser(app), Browser(app)
    mira.sign_in(MIRA)
    mira.open("/logout")
    mira.open("/logout", form_of="http://jonas.example")
    # SameSite keeps her cookie out of a foreign form; her browser still takes what comes back.
    without_cookies.open("/logout", form_of="http://jonas.example")
    mira.take_cookies_of(without_cookies)
    return "Mira" not in mira.open("/").text


# Stopped by step 4 --------------------------------------------------------------------------------


def stolen_code(app: "App") -> bool:
    """Jonas gets Mira's code before her browser opens the callback, and opens one of his own."""
    jonas = Browser(app)
    stolen = query_of(callback(Browser(app).start_link(), MIRA))["code"]
    own_state = query_of(jonas.start_link())["state"]
    jonas.open("/oauth?" + urlencode({"state": own_state, "code": stolen}))
    return "Mira" in jonas.open("/").text


# Stopped by step 5 --------------------------------------------------------------------------------


def read_log(app: "App") -> bool:
    """Jonas reads the log, and looks for codes and tokens."""
    Browser(app).sign_in(MIRA)
    return SECRET.search(app.log.read_text()) is not None


def read_history(app: "App") -> bool:
    """Jonas reads the addresses in the history of Mira's browser, and looks for the same."""
    mira = Browser(app)
    page = mira.sign_in(MIRA)
    return SECRET.search(f"{page.address} {mira.sign_out(page).address}") is not None


def outlived_sign_out(app: "App") -> bool:
    """Mira signs out. Jonas has an old backup with her tokens in it, and Webex still takes them."""
    mira = Browser(app)
    page = mira.sign_in(MIRA)
    mira.open(mira.sign_out(page).address)  # at Webex, if it leads there
    return app.has_tokens_of(MIRA)


def stray_token(app: "App") -> bool:
    """Something on the way to Webex answers with a redirect to a site of Jonas's."""
    mira = Browser(app)
    mira.sign_in(MIRA)
    with site_of_jonas() as (address, heard):
        redirect = Answer(status=302, headers={"Location": address})
        app.webex.faults.add("GET", "/v1/people/me", redirect)
        mira.open("/")
    return SECRET.search(" ".join(heard)) is not None


# Stopped by step 6 --------------------------------------------------------------------------------


def restart(app: "App") -> bool:
    """Restart the server: Mira has to sign in again, or others can read what it kept."""
    mira = Browser(app)
    mira.sign_in(MIRA)
    app.stop()
    app.start()
    is_readable = any(file.stat().st_mode & 0o077 for file in app.folder.glob("tokens*"))
    return is_readable or "Mira" not in mira.open("/").text


def ten_tabs(app: "App") -> bool:
    """Ten tabs wake up after 15 days, at a Webex that ends a grant when a token comes twice."""
    mira = Browser(app)
    mira.sign_in(MIRA)
    app.webex.change_options(refresh_mode="reuse-detect")
    app.webex.clock.advance(FIFTEEN_DAYS)
    app.webex.faults.add("POST", "/v1/access_token", Delay(seconds=0.3), times=None)
    with ThreadPoolExecutor(10) as tabs:
        pages = list(tabs.map(mira.open, ["/"] * 10))
    return not all("Mira" in page.text for page in [*pages, mira.open("/")])


def late_answer(app: "App") -> bool:
    """Mira signs out in one tab while another one refreshes: the answer signs her in again."""
    mira = Browser(app)
    page = mira.sign_in(MIRA)
    app.webex.clock.advance(FIFTEEN_DAYS)
    app.webex.faults.add("POST", "/v1/access_token", Slow(piece_bytes=100, pause_seconds=0.2))
    with ThreadPoolExecutor() as tabs:
        tabs.submit(mira.open, "/")
        wait_until(lambda: app.webex.journal.count("POST", "/v1/access_token") == 2)
        mira.sign_out(page)
    return "Sign in" not in mira.open("/").text


def short_answer(app: "App") -> bool:
    """Webex refreshes without a new refresh token, which means: go on with the one you have."""
    mira = Browser(app)
    mira.sign_in(MIRA)
    app.webex.change_options(is_refresh_token_omitted_on_refresh=True)
    app.webex.clock.advance(FIFTEEN_DAYS)
    mira.open("/")
    app.webex.clock.advance(FIFTEEN_DAYS)
    return "Mira" not in mira.open("/").text


Attack = Callable[["App"], bool]
STOPPED_BY: dict[Attack, int] = {
    known_state: 2,
    foreign_callback: 3,
    planted_session: 3,
    forged_sign_out: 3,
    stolen_code: 4,
    read_log: 5,
    read_history: 5,
    outlived_sign_out: 5,
    stray_token: 5,
    restart: 6,
    ten_tabs: 6,
    late_answer: 6,
    short_answer: 6,
}

# What the attacks are made of ---------------------------------------------------------------------


class App:
    """A step of the ladder in a process of its own, registered at the local Webex."""

    def __init__(self, step: Path, webex: Emulator, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]
        self.origin = f"http://localhost:{self._port}"
        self.webex = webex
        self.folder = folder
        self.log = folder / "log"
        self._step = step
        self._integration = webex.register(f"{self.origin}/oauth")
        (folder / ".env").write_text(sample_env(self._integration, webex.origin))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the step, with nothing but Python's standard library, and wait until it listens."""
        command = [sys.executable, "-I", "-S", "-u", str(self._step)]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        wait_until(self._is_listening)

    def stop(self) -> None:
        """Stop the step."""
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)

    def has_tokens_of(self, email: str) -> bool:
        """Return whether Webex still takes a token that this step got for a person."""
        person = self.webex.world.person_by_email(email)
        client_id, scopes = self._integration.client_id, self._integration.scopes
        return person is not None and self.webex.tokens.has_grant(client_id, person, scopes)

    def _is_listening(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(self.log.read_text())
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


class Page(NamedTuple):
    """What a browser shows; the address is where it is, or where it was sent off this site."""

    text: str
    address: str


class Browser:
    """Somebody's browser: it keeps cookies, and follows redirects within a site."""

    def __init__(self, app: App) -> None:
        self.cookies = CookieJar()
        self._app = app
        self._opener = build_opener(HTTPCookieProcessor(self.cookies), StayOnSite())

    def open(self, address: str, *, form_of: str = "") -> Page:
        """Open an address, or send an empty form to it from a page of the origin *form_of*."""
        url = urljoin(self._app.origin, address)
        request = Request(url, b"", {"Origin": form_of}) if form_of else Request(url)
        try:
            answer = self._opener.open(request, timeout=PATIENCE_SECONDS)
        except HTTPError as error:
            answer = error
        with answer:
            return Page(answer.read().decode(), answer.headers.get("Location", answer.url))

    def start_link(self) -> str:
        """Return the address that the link to Webex leads to."""
        link = re.search('href="([^"]+)">Sign in', self.open("/").text)
        if link is None:
            raise AssertionError("there is no link to Webex")
        return html.unescape(link[1])

    def sign_in(self, person: str) -> Page:
        """Sign in. It works at every step, or an attack would fail for the wrong reason."""
        page = self.open(callback(self.start_link(), person))
        if "So happy to meet you" not in page.text:
            raise AssertionError(page.text)
        return page

    def sign_out(self, page: Page) -> Page:
        """Press what a page has for it: a link, or a button."""
        is_form = 'action="/logout"' in page.text
        return self.open("/logout", form_of=self._app.origin if is_form else "")

    def take_cookies_of(self, other: "Browser") -> None:
        """Take over cookies that another browser has."""
        for cookie in other.cookies:
            self.cookies.set_cookie(cookie)


class StayOnSite(HTTPRedirectHandler):
    """Follows a redirect only to where the request went."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def site_of_jonas() -> Iterator[tuple[str, list[str]]]:
    """Serve a site of Jonas's; yield its address and the headers of the requests that come."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(str(self.headers))
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", heard
        server.shutdown()


def callback(start_link: str, person: str) -> str:
    """Return the callback with which Webex answers a start link once a person has accepted."""
    return Visitor().sign_in(start_link, person)


def query_of(address: str) -> dict[str, str]:
    """Return the query of an address."""
    return dict(parse_qsl(urlsplit(address).query))


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return once *is_so* is true."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > ends_at:
            raise TimeoutError
        time.sleep(0.01)


@contextmanager
def running(step: Path) -> Iterator[App]:
    """Run a step in a folder of its own, with a local Webex of its own."""
    with (
        RunningEmulator() as webex,
        tempfile.TemporaryDirectory() as folder,
        App(step, webex.emulator, Path(folder)) as app,
    ):
        yield app


def succeeds(attack: Attack, app: App) -> bool:
    """Return whether an attack succeeds, at a Webex that has seen none yet."""
    app.webex.reset()
    return attack(app)


def main(numbers: list[str]) -> int:
    """Try every attack on the steps named, or on all; return how many surprised."""
    steps = [step for step in STEPS if not numbers or step.name[0] in numbers]
    words: dict[Attack, list[str]] = {attack: [] for attack in STOPPED_BY}
    surprises = 0
    for step in steps:
        with running(step) as app:
            for attack, stopped_by in STOPPED_BY.items():
                has_succeeded = succeeds(attack, app)
                surprises += has_succeeded != (int(step.name[0]) < stopped_by)
                words[attack].append("succeeds" if has_succeeded else "-")
    print(" " * 18, *(f"{step.stem:>10}" for step in steps))
    for attack, outcomes in words.items():
        print(f"{attack.__name__:18}", *(f"{outcome:>10}" for outcome in outcomes))
    print(f"{surprises} surprises")
    return surprises


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
