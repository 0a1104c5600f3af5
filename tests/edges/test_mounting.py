"""`WebexApplication`: the ready application inside another one, below a path."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from io import StringIO
from socket import socket
from threading import Thread
from typing import Annotated
from urllib.parse import urljoin

import pytest
import requests
from dotenv import dotenv_values
from fastapi import FastAPI, Security
from scene import MIRA
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from uvicorn import Config, Server
from waiting import LIMIT_SECONDS, until

from webex_oauth import AsyncGrant, Settings
from webex_oauth.asgi import WebexApplication
from webex_oauth.emulator import RunningEmulator, Visitor, sample_env
from webex_oauth.errors import ConfigurationError
from webex_oauth.web.listening import listening_socket


@pytest.fixture(scope="module")
def running() -> Iterator[RunningEmulator]:
    with RunningEmulator() as running:
        yield running


def settings_for(redirect_uri: str, running: RunningEmulator, **more: str) -> Settings:
    """Return the settings of an integration that is registered at a local Webex."""
    integration = running.emulator.register(redirect_uri)
    values = dotenv_values(stream=StringIO(sample_env(integration, running.origin)))
    variables = {name: value or "" for name, value in values.items()}
    return Settings.from_env(None, variables | {"WEBEX_STORE_URL": "memory:"} | more)


def host() -> Starlette:
    """Return an application with a page and a lifespan of its own, whose state the page tells."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, str]]:
        yield {"word": "hello"}

    async def say(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.state.word)

    return Starlette(routes=[Route("/hello", say)], lifespan=lifespan)


@contextmanager
def mounted(
    running: RunningEmulator, folder: str, path: str | None = None, root_path: str = ""
) -> Iterator[str]:
    """Serve the application below *folder* of a host; yield the host's origin."""
    listener = listening_socket("127.0.0.1", 0)
    origin = f"http://localhost:{listener.getsockname()[1]}"
    app = host()
    settings = settings_for(f"{origin}{folder}/oauth", running)
    WebexApplication(app, settings=settings, path=path)
    with serving(app, listener, root_path):
        yield origin


@contextmanager
def serving(app: Starlette, listener: socket, root_path: str = "") -> Iterator[None]:
    """Run the server that many hosts have."""
    server = Server(Config(app, root_path=root_path, log_config=None))
    thread = Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        until(lambda: server.started, "the host did not start")
        yield
    finally:
        server.should_exit = True
        thread.join(LIMIT_SECONDS)


def test_it_opens_with_its_host_and_is_below_the_folder_of_the_redirect_uri(
    running: RunningEmulator,
) -> None:
    with mounted(running, "/webex") as origin, requests.Session() as browser:
        assert browser.get(f"{origin}/hello").text == "hello"
        assert browser.get(f"{origin}/login").status_code == 404
        assert browser.get(f"{origin}/webex").url == f"{origin}/webex/"
        start = browser.get(f"{origin}/webex/login", allow_redirects=False)
        callback = Visitor().sign_in(start.headers["location"], MIRA)
        page = browser.get(callback)
        assert page.url == f"{origin}/webex/"
        assert "Mira Ito" in page.text
        assert browser.get(f"{origin}/webex/listrooms").text.count("<tr") > 250


@pytest.mark.parametrize("root_path", ["/api", ""])
def test_a_host_that_is_below_a_path_itself_says_where_the_folder_is(
    root_path: str, running: RunningEmulator
) -> None:
    with mounted(running, "/api/webex", "/webex", root_path) as origin:
        page = requests.get(f"{origin}/webex/", timeout=LIMIT_SECONDS)

    assert 'action="/api/webex/login"' in page.text


def test_a_redirect_uri_without_a_folder_is_refused_with_one_that_has(
    running: RunningEmulator,
) -> None:
    settings = settings_for("http://localhost:8080/oauth", running)

    with pytest.raises(ConfigurationError, match="such as http://localhost:8080/webex/oauth"):
        WebexApplication(host(), settings=settings)


def test_the_hosts_own_pages_know_the_person_of_the_session(running: RunningEmulator) -> None:
    listener = listening_socket("127.0.0.1", 0)
    origin = f"http://localhost:{listener.getsockname()[1]}"
    app = FastAPI()
    scopes = {"WEBEX_SCOPES": "spark:people_read"}
    settings = settings_for(f"{origin}/webex/oauth", running, **scopes)
    webex = WebexApplication(app, settings=settings)

    @app.get("/name")
    async def name(grant: Annotated[AsyncGrant, Security(webex.auth)]) -> str | None:
        return grant.display_name

    @app.get("/spaces")
    async def spaces(
        grant: Annotated[AsyncGrant, Security(webex.auth, scopes=["spark:rooms_read"])],
    ) -> list[str]:
        return sorted(grant.scopes)

    with serving(app, listener), requests.Session() as browser:
        refused = browser.get(f"{origin}/name")
        assert (refused.status_code, refused.json()["error"]) == (401, "GrantNotFound")
        assert refused.json()["sign_in_url"].startswith(f"{origin}/webex/login?return_to=")
        browser.headers["accept"] = "text/html"
        assert visit(browser, f"{origin}/name").json() == "Mira Ito"
        assert "Mira Ito" in browser.get(f"{origin}/webex/").text
        with withheld(running, "spark:rooms_read"):
            without = visit(browser, f"{origin}/spaces")
        assert without.url.startswith(f"{origin}/webex/oauth")
        assert without.status_code == 403
        assert 'name="scope" value="spark:rooms_read"' in without.text
        assert "spark:rooms_read" in visit(browser, f"{origin}/spaces").json()


@contextmanager
def withheld(running: RunningEmulator, scope: str) -> Iterator[None]:
    """Let Webex grant everything but *scope*."""
    granted = tuple({"spark:people_read", "spark:rooms_read", "spark:kms"} - {scope})
    running.emulator.change_options(granted_scopes=granted)
    yield
    running.emulator.change_options(granted_scopes=None)


def visit(browser: requests.Session, url: str) -> requests.Response:
    """Go to a page that leads to a sign-in, and accept there."""
    sent = browser.get(url, allow_redirects=False)
    start = browser.get(urljoin(url, sent.headers["location"]), allow_redirects=False)
    return browser.get(Visitor().sign_in(start.headers["location"], MIRA))
