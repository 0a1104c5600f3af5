"""Authorization servers, each a process.

Strict ones end a grant when a refresh token comes twice. With another, the token stays the same.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from io import StringIO
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import requests
from dotenv import dotenv_values
from edges.command import server
from peers.oidc_provider import running_oidc_provider
from peers.registration import Registration
from waiting import LIMIT_SECONDS

from webex_oauth.emulator import Options, Visitor
from webex_oauth.settings import read_settings

MIRA = "mira@acme.example"
FIRST_TOKEN_LIVES = 1
"""Seconds, so that a test need not wait long for the end of it."""


class Authority(Protocol):
    """Grant access tokens of which the first one is over at once, and count what is presented."""

    @property
    def registration(self) -> Registration:
        """What a client knows."""
        ...

    def allow(self, authorization_url: str) -> str:
        """Sign in and consent as a person; give the callback."""
        ...

    def let_tokens_live(self) -> None:
        """Let access tokens live long from now on."""
        ...

    def refresh_count(self) -> int:
        """Say how often it took a refresh token."""
        ...

    def replay_count(self) -> int:
        """Say how often it refused a refresh token."""
        ...

    def takes(self, access_token: str) -> bool:
        """Say whether it accepts this access token."""
        ...


@dataclass(frozen=True, slots=True)
class LocalWebex:
    """The emulator as its command runs it."""

    registration: Registration

    def allow(self, authorization_url: str) -> str:
        """Sign in and consent; give the callback."""
        return Visitor().sign_in(authorization_url, MIRA, "accept")

    def let_tokens_live(self) -> None:
        """Let access tokens live as long as Webex's from now on."""
        self.change(access_token_lifetime_seconds=Options().access_token_lifetime_seconds)

    def change(self, **options: Any) -> None:
        """Switch some of its options."""
        self._control("PATCH", "options", options)

    def add_fault(self, **rule: Any) -> None:
        """Let it fail."""
        self._control("POST", "faults", rule)

    def arrivals(self) -> list[int | None]:
        """List what was answered to refreshes, also to those that a fault was answered to."""
        return [
            status
            for form, status in self._token_requests()
            if form.get("grant_type") != "authorization_code"
        ]

    def refresh_count(self) -> int:
        """Say how often it took a refresh token."""
        return self.arrivals().count(HTTPStatus.OK)

    def replay_count(self) -> int:
        """Say how often it refused a refresh token, as a strict one does when it comes twice."""
        return self.arrivals().count(HTTPStatus.BAD_REQUEST)

    def takes(self, access_token: str) -> bool:
        """Say whether it accepts this access token."""
        headers = {"authorization": f"Bearer {access_token}"}
        url = f"{self.registration.origin}/v1/people/me"
        return (
            requests.get(url, headers=headers, timeout=LIMIT_SECONDS).status_code == HTTPStatus.OK
        )

    def _token_requests(self) -> list[tuple[dict[str, str], int | None]]:
        entries = self._control("GET", "journal?method=POST&path=/v1/access_token")["items"]
        return [(dict(entry["form"]), entry["status"]) for entry in entries]

    def _control(self, method: str, path: str, body: object = None) -> Any:
        url = f"{self.registration.origin}/_emulator/{path}"
        answer = requests.request(method, url, json=body, timeout=LIMIT_SECONDS)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running_local_webex(folder: Path) -> Iterator[LocalWebex]:
    """Run `webex-oauth emulator`, which is told to be strict."""
    with server(folder, "emulator", "--port=0", "--env-file=.env") as process:
        process.line_with("The emulator is at ")
        text = StringIO((folder / ".env").read_text())
        settings = read_settings({k: v or "" for k, v in dotenv_values(stream=text).items()})
        webex = LocalWebex(
            Registration(
                origin=settings.platform.origin,
                client_id=settings.client.client_id,
                client_secret=settings.client.client_secret.reveal(),
                redirect_uri=settings.client.redirect_uri,
                scopes=settings.scopes,
                is_webex=True,
            )
        )
        webex.change(refresh_mode="reuse-detect", requests_per_minute=0)
        yield webex


@contextmanager
def strict_webex(folder: Path) -> Iterator[Authority]:
    """Run a local Webex whose first access token is over at once."""
    with running_local_webex(folder) as webex:
        webex.change(access_token_lifetime_seconds=FIRST_TOKEN_LIVES)
        yield webex


@contextmanager
def steady_webex(folder: Path) -> Iterator[Authority]:
    """Run a local Webex like `strict_webex` whose refresh tokens stay the same."""
    with running_local_webex(folder) as webex:
        webex.change(refresh_mode="same", access_token_lifetime_seconds=FIRST_TOKEN_LIVES)
        yield webex


@contextmanager
def oidc_provider(_: Path) -> Iterator[Authority]:
    """Run a provider by others whose first access token is over at once."""
    with running_oidc_provider(first_token_lives=FIRST_TOKEN_LIVES) as provider:
        yield provider


RunAuthority: TypeAlias = Callable[[Path], AbstractContextManager[Authority]]

AUTHORITIES: dict[str, RunAuthority] = {
    "emulator": strict_webex,
    "emulator, same": steady_webex,
    "oidc-provider": oidc_provider,
}
