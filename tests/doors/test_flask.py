"""Sign-in with Webex in applications of Flask."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import requests
from doors.browsing import ORIGIN, PAGE, TEAMS, settings_of
from flask import Flask, abort, session as host_session
from flask.testing import FlaskClient
from library.people import LUCA, MIRA, World
from logged import fields
from waiting import until
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import TestResponse

from webex_oauth import Grant, Integration
from webex_oauth.emulator import Visitor
from webex_oauth.errors import StoreUnavailable
from webex_oauth.flask import WebexAuth, current_grant
from webex_oauth.flows.failures import FAILURES
from webex_oauth.requests import BearerAuth
from webex_oauth.webex import rooms

ROOMS = "spark:rooms_read"
PROGRAMS = Path(__file__).parent / "programs"


class Browser:
    """A browser at *app*, and its person at Webex."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.visitor = Visitor()

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url=ORIGIN, headers=_named(headers))

    def post(self, path: str, **headers: str) -> TestResponse:
        return self.client.post(path, base_url=ORIGIN, headers=_named(headers))

    def visit(self, path: str) -> TestResponse:
        return self.get(path, **PAGE)

    def sign_in(self, email: str = LUCA, path: str = "/login") -> TestResponse:
        return self.get(self.decide(self.get(path), email))

    def decide(self, start: TestResponse, email: str = LUCA, *, declines: bool = False) -> str:
        """Decide at Webex, where *start* leads; return the address of the callback."""
        assert start.status_code == 303, start.text
        return self.visitor.sign_in(start.location, email, "decline" if declines else "accept")


def told(answer: TestResponse) -> dict[str, Any]:
    """Return the members of an answer in JSON."""
    members: dict[str, Any] = msgspec.json.decode(answer.data)
    return members


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def opened() -> Iterator[list[WebexAuth]]:
    """Close what a test opens."""
    opened: list[WebexAuth] = []
    yield opened
    for webex in opened:
        webex.integration.close()


class Make:
    def __init__(self, world: World, opened: list[WebexAuth]) -> None:
        self.world = world
        self.opened = opened

    def __call__(self, **choices: Any) -> Flask:
        app = Flask("host")
        app.secret_key, app.testing = "of-the-test", True
        webex = WebexAuth(app, **({"settings": self.world.settings} | choices))
        self.opened.append(webex)
        return with_views(app, webex)


@pytest.fixture
def make(world: World, opened: list[WebexAuth]) -> Make:
    return Make(world, opened)


def with_views(app: Flask, webex: WebexAuth) -> Flask:
    @app.get("/me")
    @webex.login_required()
    def me() -> dict[str, str | None]:
        return {"email": current_grant.email}

    @app.get("/rooms")
    @webex.login_required(ROOMS)
    def my_rooms() -> dict[str, int]:
        return {"count": sum(1 for _ in current_grant.items(rooms.listing()))}

    @app.get("/teams")
    @webex.login_required(TEAMS)
    async def teams() -> dict[str, bool]:
        return {"may": TEAMS in current_grant.scopes}

    @app.get("/anybody")
    def anybody() -> dict[str, str | None]:
        grant = webex.optional_grant()
        return {"email": grant.email if grant else None}

    @app.post("/change")
    @webex.login_required()
    def change() -> dict[str, str | None]:
        return {"email": current_grant.email}

    @app.get("/direct")
    @webex.login_required()
    def direct() -> str:
        url = f"{webex.integration.settings.platform.api_base_url}people/me"
        return requests.get(url, auth=BearerAuth(current_grant), timeout=20).text

    @app.get("/down")
    def down() -> str:
        raise StoreUnavailable("the store is away")

    return app


def with_session_views(app: Flask) -> Flask:
    @app.get("/session")
    def look() -> dict[str, Any]:
        return dict(host_session)

    @app.get("/plant")
    def plant() -> dict[str, Any]:
        host_session["planted"] = "before the sign-in"
        return {}

    return app


def test_a_person_signs_in_comes_back_reloads_and_signs_out(world: World, make: Make) -> None:
    browser = Browser(make())
    sent = browser.visit("/rooms?x=1&y=a%20b")
    assert sent.location == "/login?return_to=%2Frooms%3Fx%3D1%26y%3Da%2520b"
    refused = browser.get("/rooms")
    assert (refused.status_code, told(refused)["error"]) == (401, "GrantNotFound")
    assert refused.content_type == "application/problem+json"
    assert told(refused)["sign_in_url"] == f"{ORIGIN}/login?return_to=%2F"

    callback = browser.decide(browser.get(sent.location), MIRA)
    back, again = browser.get(callback), browser.get(callback)

    assert back.location == again.location == "/rooms?x=1&y=a%20b"
    mine = browser.get("/rooms")
    assert mine.json == {"count": 250}
    assert (mine.headers["vary"], mine.headers["cache-control"]) == ("Cookie", "no-store")
    assert browser.get("/anybody").json == {"email": MIRA}
    assert told(browser.get("/direct"))["displayName"] == "Mira Ito"
    assert browser.get("/logout").status_code == 200
    assert browser.post("/logout?return_to=/anybody", origin=ORIGIN).location == "/anybody"
    assert browser.get("/me").status_code == 401
    assert browser.get("/anybody").json == {"email": None}
    assert world.emulator.journal.count("POST", "/v1/access_token") == 1


def test_the_application_may_be_made_later(world: World, opened: list[WebexAuth]) -> None:
    webex = WebexAuth(settings=world.settings)
    opened.append(webex)
    app = with_views(Flask("later"), webex)
    webex.init_app(app)
    browser = Browser(app)

    browser.sign_in()

    assert browser.get("/me").json == {"email": LUCA}


@pytest.mark.check("A17")
def test_a_missing_scope_starts_a_sign_in_for_it(world: World, make: Make) -> None:
    browser = Browser(make(settings=settings_of(world)))
    browser.sign_in()
    refused = browser.get("/teams")
    assert (refused.status_code, told(refused)["error"]) == (403, "MissingScope")
    assert TEAMS.replace(":", "%3A") in told(refused)["sign_in_url"]

    back = browser.sign_in(path=browser.visit("/teams").location)

    assert back.location == "/teams"
    assert browser.get("/teams").json == {"may": True}
    assert TEAMS.replace(":", "%3A") in browser.get("/login").location


def test_what_passes_is_answered_with_when_to_come_back(make: Make) -> None:
    browser = Browser(make())
    for answer in (browser.get("/down"), browser.visit("/down")):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert told(browser.get("/down"))["error"] == "StoreUnavailable"


@pytest.mark.check("A02")
def test_a_callback_counts_in_the_browser_that_began_it_alone(world: World, make: Make) -> None:
    app = make()
    attacker, victim = Browser(app), Browser(app)
    victim.sign_in(MIRA)
    callback = attacker.decide(attacker.get("/login"))

    page = victim.get(callback)

    assert page.status_code == 400
    assert victim.get("/me").json == {"email": MIRA}
    assert world.emulator.journal.count("POST", "/v1/access_token") == 1


@pytest.mark.check("A18")
def test_an_application_context_of_several_requests_mixes_no_people(make: Make) -> None:
    app = make()
    luca, mira, nobody = Browser(app), Browser(app), Browser(app)
    with app.app_context():
        luca.sign_in(LUCA)
        mira.sign_in(MIRA)

        answers = [browser.get("/anybody").json for browser in (luca, mira, nobody)]

    assert answers == [{"email": LUCA}, {"email": MIRA}, {"email": None}]


def test_who_was_granted_more_than_an_attempt_has_room_for_can_sign_in_again(
    world: World, make: Make, opened: list[WebexAuth]
) -> None:
    browser = Browser(make())
    browser.sign_in()
    many = [*world.settings.scopes, *(f"spark:formerly_asked_for_{number}" for number in range(40))]
    opened[0].integration.grants.adopt(*world.issued(LUCA), scopes=many)

    assert browser.sign_in().status_code == 303


@pytest.mark.check("A03")
def test_of_callbacks_in_several_threads_one_redeems_the_code(world: World, make: Make) -> None:
    app = make()
    browser = Browser(app)
    callback = browser.decide(browser.get("/login?return_to=/me"))
    header = "; ".join(f"{one.key}={one.value}" for one in browser.client._cookies.values())  # type: ignore[union-attr]

    def come_back(_: int) -> str:
        alone = app.test_client(use_cookies=False)
        return alone.get(callback, base_url=ORIGIN, headers={"cookie": header}).location

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(come_back, range(10))) == {"/me"}
    assert world.emulator.journal.count("POST", "/v1/access_token") == 1


@pytest.mark.parametrize("headers", [{"sec_purpose": "prefetch"}, {"purpose": "prefetch"}])
def test_a_prefetched_callback_spends_nothing(make: Make, headers: dict[str, str]) -> None:
    browser = Browser(make())
    callback = browser.decide(browser.get("/login"))

    assert browser.get(callback, **headers).status_code == 204
    assert browser.get(callback).location == "/"


@pytest.mark.check("D09")
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil"},
        {"origin": "null", "sec_fetch_site": "cross-site"},
        {"origin": ORIGIN, "sec_fetch_site": "same-site"},
    ],
)
def test_another_site_cannot_change_anything_as_the_person(
    make: Make, headers: dict[str, str]
) -> None:
    browser = Browser(make())
    browser.sign_in()

    assert browser.post("/change", **headers).status_code == 403
    assert browser.post("/logout", **headers).status_code == 403
    assert browser.post("/change", origin=ORIGIN).json == {"email": LUCA}
    assert browser.post("/change").json == {"email": LUCA}  # a program


@pytest.mark.check("E05")
def test_a_refusal_is_in_the_one_log_with_the_reference_that_its_page_shows(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    page = Browser(make()).post("/login", origin="https://evil")

    (event,) = [one for one in caplog.records if one.name == "webex_oauth.flows.refusal_log"]
    reference = fields(event)["reference"]
    assert f"<code>{reference}</code>" in page.text
    assert event.getMessage() == (
        "request refused (forgery-suspected): "
        f"{FAILURES['forgery-suspected'].title}; from 127.0.0.1; reference {reference}"
    )


def test_a_request_of_nobody_is_not_logged_and_names_no_reference(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Browser(make()).get("/me")

    assert answer.status_code == 401
    assert "instance" not in told(answer)
    assert not [one for one in caplog.records if one.name == "webex_oauth.flows.refusal_log"]


@pytest.mark.parametrize("session", ["cookie", "host"])
def test_below_a_prefix_that_the_server_takes_off_every_path_has_it(
    world: World, make: Make, session: str
) -> None:
    app = make(settings=settings_of(world, "/team/oauth"), session=session)
    outer = Flask("outer")
    outer.wsgi_app = DispatcherMiddleware(outer.wsgi_app, {"/team": app})  # type: ignore[method-assign]
    browser = Browser(outer)
    assert told(browser.get("/team/me"))["sign_in_url"] == (
        f"{ORIGIN}/team/login?return_to=%2Fteam%2F"
    )
    assert f"sign in at {ORIGIN}/team/login" in told(browser.get("/team/me"))["remedy"]
    sent = browser.visit("/team/me?x=1")
    assert sent.location == "/team/login?return_to=%2Fteam%2Fme%3Fx%3D1"

    declined = browser.get(browser.decide(browser.get(sent.location), declines=True))
    assert 'href="/team/"' in declined.text
    assert 'action="/team/login?return_to=%2Fteam%2Fme%3Fx%3D1"' in declined.text
    assert browser.sign_in(path=sent.location).location == "/team/me?x=1"
    assert browser.sign_in(path="/team/login?return_to=/team/logout").location == "/team/"

    assert browser.get("/team/me").json == {"email": LUCA}
    assert 'action="/team/logout"' in browser.get("/team/logout").text
    assert browser.post("/team/logout").location == "/team/"
    assert browser.get("/team/me").status_code == 401
    assert browser.get("/oauth").status_code == browser.post("/team/oauth").status_code == 404


@pytest.mark.check("D02")
def test_flasks_own_session_can_carry_the_person(world: World, make: Make) -> None:
    app = with_session_views(make(session="host"))
    browser, other = Browser(app), Browser(app)
    browser.get("/plant")
    browser.sign_in()
    other.sign_in(MIRA)

    assert list(told(browser.get("/session"))) == ["webex_person_id"]
    assert browser.get("/me").json == {"email": LUCA}
    assert other.get("/me").json == {"email": MIRA}
    assert browser.post("/logout", origin="https://evil").status_code == 403
    assert browser.get("/me").json == {"email": LUCA}
    browser.post("/logout")
    assert browser.get("/session").json == {}
    assert browser.get("/me").status_code == 401
    with Integration(world.settings) as webex:
        assert len(list(webex.grants.list())) == 2  # they live until somebody revokes them


@pytest.mark.parametrize("session", ["cookie", "host"])
def test_a_person_whom_on_sign_in_refuses_is_not_signed_in(make: Make, session: str) -> None:
    def refuse(_: Grant) -> None:
        abort(403)

    browser = Browser(make(session=session, on_sign_in=refuse))

    assert browser.sign_in().status_code == 403
    assert browser.get("/me").status_code == 401


def test_an_application_without_sessions_is_told_before_a_person_goes_to_webex(make: Make) -> None:
    app = make(session="host")
    app.secret_key = None

    with pytest.raises(RuntimeError, match="secret_key"):
        Browser(app).get("/login")


def test_a_program_may_keep_its_own_users(make: Make) -> None:
    accounts: dict[str, str | None] = {}

    def remember(grant: Grant) -> str | None:
        accounts[grant.person_id] = grant.email
        return "Hello" if grant.email == MIRA else None

    app = make(session=None, login_path="/connect", on_sign_in=remember)

    assert Browser(app).sign_in(path="/connect?return_to=/anybody").location == "/anybody"
    assert Browser(app).sign_in(MIRA, "/connect").text == "Hello"
    assert set(accounts.values()) == {LUCA, MIRA}
    with pytest.raises(RuntimeError, match="knows nobody"):
        Browser(app).get("/me")


def test_a_wrong_use_is_refused_at_once(world: World) -> None:
    with pytest.raises(ValueError, match="cookie"):
        WebexAuth(settings=world.settings, session="flask")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="on_sign_in"):
        WebexAuth(settings=world.settings, session=None)
    with pytest.raises(TypeError, match="give a list"):
        WebexAuth(settings=world.settings, allowed_orgs="an-organization")
    with pytest.raises(TypeError, match="parentheses"):
        WebexAuth(settings=world.settings).login_required(print)  # type: ignore[arg-type]


def test_it_imports_flask_and_no_other_framework() -> None:
    code = (
        "import sys, webex_oauth.flask; "
        "print(sorted({'starlette', 'uvicorn', 'jinja2', 'django', 'fastapi', 'httpx', 'requests'}"
        " & {name.partition('.')[0] for name in sys.modules}))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert out.stdout.strip() == "['jinja2']"  # Flask's own


@contextmanager
def gunicorn(folder: Path) -> Iterator[str]:
    """Serve the program in two workers that are forked after it was loaded."""
    command = [sys.executable, "-m", "gunicorn", "--preload", "-w", "2", "--threads", "4"]
    bound = ["-b", "127.0.0.1:0", "--chdir", str(PROGRAMS), "flask_app:app"]
    environment = {**os.environ, "WEBEX_ENV_FILE": str(folder / ".env")}
    log = folder / "gunicorn.log"
    with log.open("w") as out:
        server = subprocess.Popen([*command, *bound], env=environment, stderr=out, stdout=out)
    try:
        until(lambda: log.read_text().count("Booting worker") == 2)
        found = re.search(r"Listening at: (http://\S+)", log.read_text())
        assert found
        yield found[1]
    finally:
        server.terminate()
        server.wait(timeout=20)


def test_workers_that_are_forked_after_the_program_was_loaded_serve_one_person(
    world: World,
) -> None:
    seen = set[tuple[int, int]]()
    apart = {"connection": "close"}  # so that either worker may answer
    with gunicorn(world.folder) as url, httpx.Client(base_url=url, headers=apart) as browser:
        start = browser.get("/login?return_to=/rooms")
        callback = Visitor().sign_in(start.headers["location"], LUCA)
        back = browser.get("/oauth?" + callback.partition("?")[2])
        assert back.headers["location"] == "/rooms"

        def both_have_answered() -> bool:
            seen.add(rooms_of(browser))
            return len(seen) == 2

        until(both_have_answered)

    assert {count for count, _ in seen} == {3}


def rooms_of(browser: httpx.Client) -> tuple[int, int]:
    """Return how many rooms the person has, and which worker says so."""
    answer = browser.get("/rooms").json()
    return answer["count"], answer["worker"]
