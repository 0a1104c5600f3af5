"""A scene: the application and a local Webex, both real servers on loopback, sharing one clock."""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Self

import requests
from dotenv import dotenv_values

from webex_oauth.emulator import Emulator, Options, RunningEmulator, Visitor, sample_env
from webex_oauth.integration import Integration, open_integration
from webex_oauth.ports import Transport
from webex_oauth.settings import Settings, read_settings
from webex_oauth.vault.store import Store
from webex_oauth.web.application import create_application
from webex_oauth.web.frame import Frame
from webex_oauth.web.server import listening_socket, serve

START_SECONDS = 10.0
STOP_SECONDS = 30.0
MIRA = "mira@acme.example"
JONAS = "jonas@acme.example"


class Scene:
    """Run both servers; use it as a context manager.

    *variables* are settings beyond those that the emulator's `.env` brings.
    """

    def __init__(
        self,
        folder: Path,
        *,
        options: Options | None = None,
        variables: Mapping[str, str] | None = None,
        store: Store | None = None,
        transport: Transport | None = None,
    ) -> None:
        self._folder = folder
        self._options = options or Options(requests_per_minute=0)
        self._variables = dict(variables or {})
        self._store = store
        self._transport = transport
        self._exits = ExitStack()
        self._is_started = threading.Event()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        running = self._exits.enter_context(RunningEmulator(options=self._options))
        self.emulator: Emulator = running.emulator
        self._listener = listening_socket("127.0.0.1", 0)
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"http://localhost:{self.port}"
        self.settings = self._read_settings(running.origin)
        self._thread = threading.Thread(target=self._run, name="application", daemon=True)
        self._thread.start()
        if not self._is_started.wait(START_SECONDS) or self._failure:
            raise RuntimeError("the application did not start") from self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_SECONDS)
        self._exits.close()
        if self._thread.is_alive():
            raise RuntimeError("the application did not stop")

    def browser(self) -> "Browser":
        """Open a browser that has never been here."""
        return Browser(self)

    def signed_in(self, email: str = MIRA) -> "Browser":
        """Open a browser and sign *email* in."""
        browser = self.browser()
        answer = browser.sign_in(email)
        assert answer.status_code == 303, answer.text
        return browser

    def _read_settings(self, webex_origin: str) -> Settings:
        integration = self.emulator.register(f"{self.origin}/oauth")
        text = sample_env(integration, webex_origin)
        from_emulator = {k: v or "" for k, v in dotenv_values(stream=StringIO(text)).items()}
        return read_settings(
            from_emulator
            | {
                "PORT": str(self.port),
                "WEBEX_STORE_URL": f"sqlite:///{self._folder / 'data' / 'vault.sqlite'}",
                "WEBEX_KEYS_FILE": str(self._folder / "keys" / "keys"),
            }
            | self._variables
        )

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for the start
            self._failure = error
            self._is_started.set()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with open_integration(
            self.settings,
            store=self._store,
            transport=self._transport,
            clock=lambda: int(self.emulator.clock.now()),
        ) as integration:
            self.integration: Integration = integration
            self.application: Frame = create_application(self.settings, integration)
            self._is_started.set()
            await serve(self.application, self._listener, self._stop)


@dataclass
class Browser:
    """A browser without a screen: cookies, no redirects followed unless told, its own Webex login."""

    scene: Scene
    http: requests.Session = field(default_factory=requests.Session)
    webex: Visitor = field(default_factory=Visitor)

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

    def consent(self, authorize_url: str, email: str = MIRA, decision: str = "accept") -> str:
        """Walk Webex's pages; give the callback URL without going there."""
        return self.webex.sign_in(authorize_url, email, decision)

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
        return self.http.request(method, self.scene.origin + path, **arguments)  # type: ignore[arg-type]  # requests' options
