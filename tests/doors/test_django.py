"""Sign-in with Webex in Django projects, which keep users and sessions of their own."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from doors.browsing import ORIGIN, PAGE, TEAMS
from library.people import LUCA, MIRA
from waiting import until

from webex_oauth.emulator import Integration, RunningEmulator, Visitor

AMARA = "amara@acme.example"
PROGRAMS = Path(__file__).parent / "programs"
SERVERS = {
    "wsgi": ["gunicorn", "--threads", "4", "-b", "127.0.0.1:0", "django_site:wsgi"],
    "asgi": ["uvicorn", "--port", "0", "--lifespan", "off", "django_site:asgi"],
}


class Browser(httpx.Client):
    """A browser at the site, and its person at Webex."""

    def sign_in(self, email: str = LUCA, path: str = "/login") -> httpx.Response:
        return self.get(self.decide(self.get(path), email))

    def decide(self, start: httpx.Response, email: str = LUCA) -> str:
        """Decide at Webex, where *start* leads; return the path of the callback."""
        assert start.status_code == 303, start.text
        return Visitor().sign_in(start.headers["location"], email).removeprefix(ORIGIN)

    def visit(self, path: str) -> httpx.Response:
        return self.get(path, headers=PAGE)

    def told(self, path: str) -> dict[str, Any]:
        members: dict[str, Any] = self.get(path).json()
        return members


class Site:
    """A project that is served at *url*."""

    def __init__(self, url: str, folder: Path, registered: Integration) -> None:
        self.url = url
        self.folder = folder
        self.registered = registered

    def browser(self) -> Browser:
        return Browser(base_url=self.url, trust_env=False, timeout=20)


@contextmanager
def serving(
    running: RunningEmulator,
    folder: Path,
    kind: str,
    *,
    prefix: str = "",
    orgs: str = "",
    script_name: str = "",
) -> Iterator[Site]:
    """Make the tables and serve the site, below *script_name*; its pages are below *prefix*."""
    redirect_uri = f"{ORIGIN}{script_name}/{prefix}oauth"
    scopes = ("spark:people_read", "spark:rooms_read", TEAMS)
    registered = running.emulator.register(redirect_uri, scopes=scopes)
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROGRAMS),
        "SITE_FOLDER": str(folder),
        "SITE_CLIENT_ID": registered.client_id,
        "SITE_CLIENT_SECRET": registered.client_secret,
        "SITE_REDIRECT_URI": redirect_uri,
        "SITE_WEBEX": running.emulator.origin,
        "SITE_PREFIX": prefix,
        "SITE_ORGS": orgs,
        "SCRIPT_NAME": script_name,
    }
    program = [sys.executable, str(PROGRAMS / "django_site.py")]
    for command in (["migrate", "-v", "0"], ["makemigrations", "--check", "--dry-run"]):
        subprocess.run([*program, *command], env=environment, timeout=60, check=True)
    log = folder / "server.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", *SERVERS[kind]]
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        found = until_listening(log)
        yield Site(found, folder, registered)
    finally:
        server.terminate()
        server.wait(timeout=20)
        running.emulator.journal.clear()


def until_listening(log: Path) -> str:
    """Return the address of the server once it has written it."""
    pattern = re.compile(r"(?:Listening at:|running on) (http://[0-9.:]+)")
    until(lambda: pattern.search(log.read_text()), log.read_text)
    found = pattern.search(log.read_text())
    assert found
    return found[1]


@pytest.fixture(scope="module", params=["wsgi", "asgi"])
def site(
    request: pytest.FixtureRequest,
    running: RunningEmulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    with serving(running, tmp_path_factory.mktemp("site"), request.param) as site:
        yield site


@pytest.fixture
def browser(site: Site) -> Iterator[Browser]:
    with site.browser() as browser:
        yield browser


def test_a_person_signs_in_comes_back_reloads_and_signs_out(browser: Browser) -> None:
    sent = browser.visit("/me?x=1")
    assert sent.headers["location"] == "/login?next=/me%3Fx%3D1"

    callback = browser.decide(browser.get(sent.headers["location"]), MIRA)
    back, again = browser.get(callback), browser.get(callback)

    assert back.headers["location"] == again.headers["location"] == "/me?x=1"
    assert browser.told("/me") == {"email": MIRA}
    assert browser.told("/rooms") == {"count": 250}
    assert browser.get("/logout").status_code == 200
    out = browser.post("/logout", headers={"origin": ORIGIN})
    assert out.headers["location"] == "/"
    assert browser.get("/me").status_code == 302


def test_a_sign_in_of_its_own_accord_leads_where_the_project_says(browser: Browser) -> None:
    assert browser.sign_in().headers["location"] == "/me"


def test_asynchronous_views_have_a_grant_of_their_own(browser: Browser) -> None:
    browser.sign_in()

    told = browser.told("/async-rooms")

    assert told == {"count": 3, "same": True, "secret": "Secret(***)"}


def test_who_is_not_signed_in_is_told_where_to(browser: Browser) -> None:
    for path in ("/rooms", "/async-rooms"):
        refused = browser.get(path)
        assert (refused.status_code, refused.json()["error"]) == (401, "GrantNotFound")
        assert browser.visit(path).headers["location"] == f"/login?return_to={quote(path, '')}"


@pytest.mark.check("A17")
def test_a_missing_scope_starts_a_sign_in_for_it(browser: Browser) -> None:
    browser.sign_in()
    assert browser.told("/teams")["error"] == "MissingScope"

    back = browser.sign_in(path=browser.visit("/teams").headers["location"])

    assert back.headers["location"] == "/teams"
    assert browser.told("/teams") == {"may": True}


def test_a_revoked_grant_leaves_a_user_who_signs_in_again(browser: Browser) -> None:
    browser.sign_in()
    browser.get("/leave")

    assert browser.told("/rooms")["error"] == "GrantNotFound"
    assert browser.get("/me").status_code == 401
    browser.sign_in(path=browser.visit("/rooms").headers["location"])
    assert browser.told("/rooms") == {"count": 3}


def test_what_passes_is_answered_with_when_to_come_back(browser: Browser) -> None:
    answer = browser.get("/down")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.check("D02")
def test_a_session_that_was_planted_gets_another_id(site: Site, browser: Browser) -> None:
    browser.get("/plant")
    planted = browser.cookies["sessionid"]
    browser.sign_in()

    assert browser.cookies["sessionid"] != planted
    with site.browser() as attacker:
        attacker.cookies.set("sessionid", planted)
        assert attacker.get("/me").status_code == 302


@pytest.mark.check("A02")
def test_a_callback_counts_in_the_browser_that_began_it_alone(site: Site, browser: Browser) -> None:
    browser.sign_in(MIRA)
    with site.browser() as attacker:
        callback = attacker.decide(attacker.get("/login"))
        assert browser.get(callback).status_code == 400

    assert browser.told("/me") == {"email": MIRA}


def test_two_browsers_are_two_people(site: Site, browser: Browser) -> None:
    browser.sign_in(LUCA)
    with site.browser() as other:
        other.sign_in(MIRA)

        assert (browser.told("/me"), other.told("/me")) == ({"email": LUCA}, {"email": MIRA})
        other.sign_in(LUCA)
        assert other.told("/me") == {"email": LUCA}


@pytest.mark.check("D09")
@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil"}, {"origin": ORIGIN, "sec-fetch-site": "same-site"}]
)
def test_another_site_signs_nobody_out_or_in(browser: Browser, headers: dict[str, str]) -> None:
    browser.sign_in()

    assert browser.post("/logout", headers=headers).status_code == 403
    assert browser.post("/login", headers=headers).status_code == 403
    assert browser.told("/me") == {"email": LUCA}


@pytest.mark.check("A10")
@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil", "/logout"]
)
def test_a_sign_in_leads_nowhere_but_to_a_page_here(browser: Browser, target: str) -> None:
    assert browser.sign_in(path=f"/login?next={quote(target)}").headers["location"] == "/"


def test_a_user_is_a_person_and_not_an_address(site: Site, browser: Browser) -> None:
    browser.sign_in()
    with sqlite3.connect(site.folder / "db.sqlite3") as database:
        database.execute("UPDATE auth_user SET email = ?", (MIRA,))

    with site.browser() as other:
        other.sign_in(MIRA)

        assert (browser.told("/me"), other.told("/me")) == ({"email": LUCA}, {"email": MIRA})
        people = [person_id for _, person_id in other.told("/users").values()]
    assert len(set(people)) == len(people) == 2


def test_a_user_who_was_closed_is_not_let_in_and_their_grant_ends(
    running: RunningEmulator, browser: Browser
) -> None:
    browser.sign_in()
    luca = running.emulator.world.person_by_email(LUCA)
    assert luca
    browser.get(f"/users?close=webex-{luca.uuid}")

    page = browser.sign_in()

    assert page.status_code == 403
    assert browser.get("/me").status_code == 302
    browser.get(f"/users?open=webex-{luca.uuid}")
    assert browser.told("/rooms")["error"] == "GrantNotFound"


def test_a_person_for_whom_no_user_is_made_becomes_nobody(browser: Browser) -> None:
    accounts = browser.told("/users")
    browser.headers["X-New-Users"] = "none"

    refused = [browser.sign_in(AMARA).status_code, browser.sign_in(AMARA).status_code]

    assert refused == [403, 403]
    assert browser.told("/users") == accounts
    assert browser.get("/me").status_code == 302


def test_a_user_is_connected_to_one_person(browser: Browser) -> None:
    browser.get("/with-password")
    browser.sign_in("jonas@acme.example")

    assert browser.sign_in(AMARA).status_code == 403
    assert browser.told("/me") == {"email": "jonas@acme.example"}


def test_a_user_of_the_projects_own_can_be_connected(site: Site, browser: Browser) -> None:
    browser.get("/with-password")
    browser.sign_in("jonas@acme.example")

    assert browser.told("/users")["own"][0] == "own@acme.example"
    assert browser.told("/me") == {"email": "jonas@acme.example"}
    with site.browser() as other:
        other.sign_in("jonas@acme.example")
        other.sign_in(LUCA)  # another person, whose user is not the one that is signed in
        assert other.told("/me") == {"email": LUCA}


@pytest.mark.check("F04")
def test_no_token_is_in_the_projects_own_database(site: Site, browser: Browser) -> None:
    browser.sign_in()

    octets = (site.folder / "db.sqlite3").read_bytes()
    with sqlite3.connect(site.folder / "db.sqlite3") as database:
        columns = database.execute("PRAGMA table_info(webex_oauth_webexaccount)").fetchall()

    assert [name for _, name, *_ in columns] == ["user_id", "person_id"]
    assert b"_PF84_" not in octets


def test_pages_below_a_prefix_and_people_of_other_organizations(
    running: RunningEmulator, tmp_path: Path
) -> None:
    served = serving(running, tmp_path, "wsgi", prefix="webex/", orgs="others")
    with served as site, site.browser() as browser:
        page = browser.sign_in(path="/webex/login")

        assert page.status_code == 403
        assert "other organizations" in page.text
        assert browser.told("/users") == {}
        assert browser.get("/webex/nothing").status_code == 404


def test_below_a_prefix_that_the_server_takes_off_every_path_has_it(
    running: RunningEmulator, tmp_path: Path
) -> None:
    served = serving(running, tmp_path, "wsgi", prefix="webex/", script_name="/team")
    with served as site, site.browser() as browser:
        told = browser.told("/team/rooms")
        assert told["sign_in_url"] == f"{ORIGIN}/team/webex/login?return_to=%2Fteam%2F"
        path = browser.visit("/team/rooms?x=1").headers["location"]
        assert path == "/team/webex/login?return_to=%2Fteam%2Frooms%3Fx%3D1"

        assert browser.sign_in(path=path).headers["location"] == "/team/rooms?x=1"
        to_login = browser.sign_in(path="/team/webex/login?return_to=/team/webex/login")
        assert to_login.headers["location"] == "/team/"
        assert browser.told("/team/rooms") == {"count": 3}
        assert 'href="/team/"' in browser.get("/team/webex/logout").text
        assert browser.post("/team/webex/logout").headers["location"] == "/team/"


def test_it_imports_django_and_no_other_framework() -> None:
    code = (
        "import sys, webex_oauth.django; "
        "print({'starlette', 'uvicorn', 'jinja2', 'flask', 'fastapi', 'httpx', 'requests'}"
        " & {name.partition('.')[0] for name in sys.modules})"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert out.stdout.strip() == "set()"
