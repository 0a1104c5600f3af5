"""A scene: the application and a local Webex, both real servers on loopback, sharing one clock."""

import asyncio
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

import requests
from canary import RUN, Canaries
from canary_watch import (
    WatchedTransport,
    look_at_answer,
    look_at_folder,
    watched_log,
    watched_randomness,
)
from dotenv import dotenv_values
from ledgers import revocations
from msgspec.structs import replace
from waiting import LIMIT_SECONDS, until

from webex_oauth.emulator import Emulator, Options, RunningEmulator, Visitor, sample_env
from webex_oauth.emulator.visitor import Decision
from webex_oauth.flows.cookies import CookieJar
from webex_oauth.integration import OpenIntegration, open_integration
from webex_oauth.ports import Transport
from webex_oauth.settings import Settings, changed
from webex_oauth.transport import HttpTransport
from webex_oauth.vault.rows import Rows
from webex_oauth.web.application import HandlerTable, PageRouter, create_application
from webex_oauth.web.frame import Frame
from webex_oauth.web.listening import Bounds, listening_socket
from webex_oauth.web.server import serve

MIRA = "mira@acme.example"
JONAS = "jonas@acme.example"
AT_ONCE = Bounds(accepting_seconds=0, parting_seconds=0)


class Scene:
    """Run both servers; use it as a context manager.

    *variables* are settings beyond those that the emulator's `.env` brings. *public_uri* is
    the redirect URI of an application that stands behind a proxy that ends TLS. *canaries* learn
    every secret of the scene and see everything that leaves it. *around_transport* may put
    something between the application and the HTTP client, and *change_settings* may say what no
    variable can.
    """

    def __init__(
        self,
        folder: Path,
        *,
        options: Options | None = None,
        variables: Mapping[str, str] | None = None,
        rows: Rows | None = None,
        around_transport: Callable[[Transport], Transport] | None = None,
        public_uri: str | None = None,
        change_settings: Callable[[Settings], Settings] = lambda settings: settings,
        canaries: Canaries = RUN,
    ) -> None:
        self._folder = folder
        self._options = options or Options(requests_per_minute=0)
        self._variables = dict(variables or {})
        self._rows = rows
        self._around_transport = around_transport or (lambda transport: transport)
        self._public_uri = public_uri
        self._change_settings = change_settings
        self.canaries = canaries
        self._exits = ExitStack()
        self._is_started = threading.Event()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._exits.enter_context(watched_log(self.canaries))
        running = self._exits.enter_context(RunningEmulator(options=self._options))
        self.emulator: Emulator = running.emulator
        self._listener = listening_socket("127.0.0.1", 0)
        self.port: int = self._listener.getsockname()[1]
        self.settings = self._read_settings(running.origin)
        self.origin = self.settings.public_origin
        self.host = urlsplit(self.origin).netloc
        self._thread = threading.Thread(target=self._run, name="application", daemon=True)
        self._thread.start()
        if not self._is_started.wait(LIMIT_SECONDS) or self._failure:
            self._listener.close()
            self._exits.close()
            raise RuntimeError("the application did not start") from self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        look_at_folder(self.canaries, self.data_folder)
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(LIMIT_SECONDS)
        look_at_folder(self.canaries, self.data_folder)
        self._exits.close()
        if self._thread.is_alive():
            raise RuntimeError("the application did not stop")

    @property
    def data_folder(self) -> Path:
        """Where the database is; the key is elsewhere."""
        return self._folder / "data"

    @property
    def session_cookie(self) -> str:
        """The name of the application's session cookie."""
        return CookieJar(self.settings.client).session_name

    @property
    def pages(self) -> HandlerTable:
        """The running application's own table of pages, by path and method."""
        router = self.application.app
        assert isinstance(router, PageRouter)
        return router.table

    def browser(self) -> "Browser":
        """Open a browser that has never been here."""
        return Browser(self)

    def signed_in(self, email: str = MIRA) -> "Browser":
        """Open a browser and sign *email* in."""
        browser = self.browser()
        answer = browser.sign_in(email)
        assert answer.status_code == 303, answer.text
        return browser

    def settle(self) -> None:
        """Wait until no revocation is due: what a sign-in replaced is revoked afterwards."""
        until(
            lambda: not asyncio.run_coroutine_threadsafe(self._is_revoking(), self.loop).result(),
            "a revocation is still due",
        )

    async def _is_revoking(self) -> bool:
        context = self.integration.context
        queued = await revocations(context.ledger)
        return any(one.due_at <= context.clock() for one in queued)

    def _read_settings(self, webex_origin: str) -> Settings:
        local_uri = f"http://localhost:{self.port}/oauth"
        integration = self.emulator.register(local_uri, *filter(None, [self._public_uri]))
        self.canaries.plant("client_secret", integration.client_secret)
        text = sample_env(integration, webex_origin)
        from_emulator = {k: v or "" for k, v in dotenv_values(stream=StringIO(text)).items()}
        self.variables: dict[str, str] = (
            from_emulator
            | {
                "PORT": str(self.port),
                "WEBEX_STORE_URL": f"sqlite:///{self.data_folder / 'vault.sqlite'}",
                "WEBEX_KEYS_FILE": str(self._folder / "keys" / "keys"),
            }
            | self._variables
        )
        settings = self._change_settings(Settings.from_env(None, self.variables))
        if not self._public_uri:
            return settings
        # No .env can say this: a local Webex may not serve a public application.
        return changed(settings, client=replace(settings.client, redirect_uri=self._public_uri))

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for the start
            self._failure = error
            self._is_started.set()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with AsyncExitStack() as exits:
            http = await exits.enter_async_context(HttpTransport())
            integration = await exits.enter_async_context(
                open_integration(
                    self.settings,
                    rows=self._rows,
                    transport=WatchedTransport(self._around_transport(http), self.canaries),
                    clock=lambda: int(self.emulator.clock.now()),
                    randomness=watched_randomness(secrets.token_bytes, self.canaries),
                )
            )
            self.integration: OpenIntegration = integration
            self.application: Frame = create_application(self.settings, integration)
            self._is_started.set()
            await serve(self.application, self._listener, self._stop, bounds=AT_ONCE)


@dataclass
class Browser:
    """A browser without a screen: cookies, its own Webex login, no redirect followed untold."""

    scene: Scene
    http: requests.Session = field(default_factory=requests.Session)
    webex: Visitor = field(default_factory=Visitor)

    @property
    def session_id(self) -> str:
        """The session id that this browser has; empty when it has none."""
        return self.http.cookies.get(self.scene.session_cookie) or ""

    def get(self, path: str, **options: object) -> requests.Response:
        """Go to a path of the application."""
        return self._request("GET", path, options)

    def post(self, path: str, fields: Mapping[str, str], **options: object) -> requests.Response:
        """Send a form as a page of the application does."""
        headers = {"origin": self.scene.origin, "sec-fetch-site": "same-origin"}
        return self._request("POST", path, {"headers": headers, "data": dict(fields), **options})

    def start(self, return_to: str = "/") -> str:
        """Press the button; give the URL at Webex that the browser is sent to."""
        answer = self.post("/login", {"return_to": return_to})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def consent(self, authorize_url: str, email: str = MIRA, decision: Decision = "accept") -> str:
        """Walk Webex's pages; give the callback URL without going there."""
        callback_url = self.webex.sign_in(authorize_url, email, decision)
        for code in parse_qs(urlsplit(callback_url).query).get("code", ()):
            self.scene.canaries.plant("code", code)
        return callback_url

    def sign_in(self, email: str = MIRA, return_to: str = "/") -> requests.Response:
        """Walk the whole way; give the callback's answer."""
        return self.follow(self.consent(self.start(return_to), email))

    def follow(self, url: str, **options: object) -> requests.Response:
        """Go to an absolute URL of the application."""
        assert url.startswith(self.scene.origin), url
        return self.get(url.removeprefix(self.scene.origin), **options)

    def csrf_token(self) -> str:
        """Read the token that this session's pages carry."""
        page = self.get("/").text
        return page.partition('name="csrf_token" value="')[2].partition('"')[0]

    def sign_out(self) -> requests.Response:
        """Press the button."""
        return self.post("/logout", {"csrf_token": self.csrf_token()})

    def _request(self, method: str, path: str, options: Mapping[str, object]) -> requests.Response:
        arguments: dict[str, object] = {"allow_redirects": False, "timeout": 30, **options}
        answer = self.http.request(method, self.scene.origin + path, **arguments)  # type: ignore[arg-type]  # requests' options
        look_at_answer(
            self.scene.canaries,
            f"{method} {path.partition('?')[0]}",
            answer.headers,
            answer.raw.headers.getlist("set-cookie"),
            "" if arguments.get("stream") else answer.text,
            self.session_id,
        )
        return answer
