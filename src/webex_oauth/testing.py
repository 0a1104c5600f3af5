"""A pytest plugin: a local Webex for the tests of a program of yours.

Load it with `-p webex_oauth.testing`, for example in `addopts`, or with `pytest_plugins` in the
root `conftest.py`. From then on the environment names a local Webex, an invented integration and a
store in memory, so that modules which are imported later read these instead of yours. The redirect
URI and the scopes stay those of your `.env`, as far as a local Webex can have them.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, Literal, Protocol, Self
from urllib.parse import urlencode, urlsplit

import pytest
from msgspec.structs import replace

from webex_oauth.emulator import (
    Emulator,
    Faults,
    Integration as Registration,
    IssuedTokens,
    Journal,
    MovableClock,
    Person,
    Randomness,
    RunningEmulator,
    Visitor,
    new_integration,
)
from webex_oauth.errors import ConfigurationError
from webex_oauth.library.integration import AsyncIntegration
from webex_oauth.library.synchronous import Integration
from webex_oauth.secret import Secret
from webex_oauth.settings import Settings, changed, judged_settings, read_sources
from webex_oauth.vault.key_file import new_key_line
from webex_oauth.webex import scopes

BASE_URL: Final = "http://localhost:8080"
CALLBACK_PATH: Final = "/oauth"
SCOPES: Final = (scopes.PEOPLE_READ, scopes.ROOMS_READ, scopes.KMS)
_PLUGIN = "webex-oauth-local-webex"
_ELSEWHERE = (
    "your program is at work already, and not with the local Webex: serve it before it opens its "
    "integration, or load the plugin before it is imported, with -p webex_oauth.testing; it uses"
)
_LOCAL = ("platform", "store_url", "keys", "proxy", "ca_file", "person")
_HIDDEN = (
    "AUTH_INIT_URL", "CLIENT_SECRET_FILE", "WEBEX_KEYS_FILE", "WEBEX_PROXY", "WEBEX_CA_FILE",
    "WEBEX_PERSON", "WEBEX_TOKEN_ORIGINS", "WEBEX_WORKERS",
)  # fmt: skip
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Client(Protocol):
    """A test client of Starlette, FastAPI, Flask or Django, or one of httpx."""

    def get(self, path: str, /, *, follow_redirects: Literal[False]) -> Any:
        """Return the answer to a GET."""


class Door(Protocol):
    """A `WebexAuth`."""

    @property
    def integration(self) -> Integration | AsyncIntegration:
        """The integration at work."""


class WebexEmulator:
    """The local Webex of a test run, and the people who use it."""

    def __init__(
        self, emulator: Emulator, registration: Registration, scopes: tuple[str, ...]
    ) -> None:
        self.emulator: Emulator = emulator
        """The emulator itself, for everything that has no name here."""
        self.clock: MovableClock = emulator.clock
        """The clock of this Webex: `clock.advance(15 * 86400)` lets access tokens end."""
        self.faults: Faults = emulator.faults
        """What shall go wrong: `faults.add("GET", "/v1/rooms", Answer(status=503))`."""
        self.journal: Journal = emulator.journal
        """What Webex was asked: `journal.count("POST", "/v1/access_token")`."""
        self.registration: Registration = registration
        """The invented integration that the environment names."""
        self._scopes = scopes
        parts = urlsplit(registration.redirect_uris[0])
        self.base_url: str = f"{parts.scheme}://{parts.netloc}"
        """Where browsers reach your program: give it to your test client."""
        self._login_path = "/login"

    @property
    def settings(self) -> Settings:
        """Settings of a program that uses this Webex, for one that reads no environment."""
        return Settings.from_env(None, self.environment)

    @cached_property
    def environment(self) -> dict[str, str]:
        """The variables that lead a program here; empty ones hide those of a `.env`."""
        variables = {
            "WEBEX_ORIGIN": self.emulator.origin,
            "WEBEX_CLIENT_ID": self.registration.client_id,
            "CLIENT_SECRET": self.registration.client_secret,
            "WEBEX_REDIRECT_URI": self.registration.redirect_uris[0],
            "WEBEX_SCOPES": " ".join(self._scopes),
            "WEBEX_STORE_URL": "memory:",
            "WEBEX_KEYS": new_key_line(secrets.token_bytes, datetime.now(UTC).date()),
        }
        return dict.fromkeys(_HIDDEN, "") | variables

    @contextmanager
    def serving(self, webex: Door | Integration | AsyncIntegration) -> Iterator[Self]:
        """Let people sign in at *webex*, and forget their grants in the end.

        It is a `WebexAuth`, or an integration, such as Django's. One that was made with settings of
        another Webex uses this one from now on, with its own redirect URI and scopes. Raises
        ConfigurationError if it is at work there already.
        """
        if isinstance(webex, Integration | AsyncIntegration):
            integration = webex
        else:
            integration = webex.integration
        if integration.settings.platform.origin != self.emulator.origin:
            self._move_here(integration)
        self.base_url = integration.settings.public_origin
        self._login_path = getattr(webex, "login_path", self._login_path)
        try:
            yield self
        finally:
            if isinstance(integration, Integration):
                for grant in list(integration.grants.list()):
                    grant.revoke()

    def sign_in(
        self,
        client: Client,
        email: str,
        *,
        return_to: str = "/",
        login_path: str = "",
        decision: Literal["accept", "decline"] = "accept",
    ) -> Any:
        """Sign a person in at your program, and return its answer to the callback.

        Raises AssertionError if your program does not send the browser to this Webex, and
        `VisitRefused` if Webex does not send it back.
        """
        path = f"{login_path or self._login_path}?{urlencode({'return_to': return_to})}"
        start = client.get(path, follow_redirects=False)
        target = str(start.headers.get("Location", ""))
        if not target.startswith(self.emulator.origin):
            raise AssertionError(f"GET {path} does not lead to Webex: {start.status_code} {target}")
        callback = urlsplit(Visitor().sign_in(target, email, decision))
        return client.get(f"{callback.path}?{callback.query}", follow_redirects=False)

    def revoke(self, email: str) -> None:
        """Withdraw what a person allowed your program, as they would do it at Webex."""
        self.emulator.withdraw(self._person(email))

    def tokens(self, email: str, *scopes: str) -> IssuedTokens:
        """Return tokens of a person without a sign-in, for `grants.adopt`."""
        return self.emulator.grant_without_consent(
            self._person(email), scopes=scopes, integration=self.registration
        )

    def _move_here(self, integration: Integration | AsyncIntegration) -> None:
        theirs, local = integration.settings, self.settings
        known = {*scopes.SCOPES, *theirs.scopes}
        registered = self.emulator.register(theirs.client.redirect_uri, scopes=tuple(sorted(known)))
        client = replace(
            theirs.client,
            client_id=registered.client_id,
            client_secret=Secret(registered.client_secret),
        )
        here = {name: getattr(local, name) for name in _LOCAL}
        if not integration._use(changed(theirs, client=client, **here)):  # noqa: SLF001 - not for programs
            raise ConfigurationError([f"{_ELSEWHERE} {theirs.platform.origin}"])
        self.registration = registered

    def _person(self, email: str) -> Person:
        person = self.emulator.world.person_by_email(email)
        if person is None:
            raise LookupError(f"nobody at the local Webex has the address {email!r}")
        return person


class _LocalWebex:
    """The part of the plugin that keeps a local Webex and the changed environment for one run."""

    def __init__(self) -> None:
        with ExitStack() as exits:
            redirect_uri, asked = _own_redirect_uri_and_scopes()
            known = tuple(dict.fromkeys((*scopes.SCOPES, *asked)))
            registration = new_integration(
                Randomness(), redirect_uris=(redirect_uri,), scopes=known
            )
            running = exits.enter_context(RunningEmulator(integrations=[registration]))
            self._webex = WebexEmulator(running.emulator, registration, asked)
            environment = exits.enter_context(pytest.MonkeyPatch.context())
            for name, value in self._webex.environment.items():
                environment.setenv(name, value)
            self._exits = exits.pop_all()

    @pytest.fixture
    def webex_emulator(self) -> WebexEmulator:
        """Return the local Webex, without anything that earlier tests did there."""
        self._webex.emulator.reset()
        return self._webex

    def pytest_unconfigure(self) -> None:
        """Stop the local Webex and restore the environment."""
        self._exits.close()


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Start the local Webex: pytest calls this as soon as it has loaded the plugin."""
    if not pluginmanager.has_plugin(_PLUGIN):
        pluginmanager.register(_LocalWebex(), _PLUGIN)


def _own_redirect_uri_and_scopes() -> tuple[str, tuple[str, ...]]:
    try:
        settings, _ = judged_settings(read_sources(".env", os.environ))
    except ConfigurationError:
        return BASE_URL + CALLBACK_PATH, SCOPES
    uri = urlsplit(settings.client.redirect_uri)
    is_local = uri.scheme == "http" and uri.hostname in _LOOPBACK
    base_url = f"http://{uri.netloc}" if is_local else BASE_URL
    return base_url + (uri.path or CALLBACK_PATH), settings.scopes or SCOPES
