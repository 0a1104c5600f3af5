"""What the journeys do and ask, over and over."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from html import unescape
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import requests
from ledgers import grants
from scene import Browser, Scene

from webex_oauth.emulator import Emulator
from webex_oauth.vault.ledger import Ledger

T = TypeVar("T")
TOKEN_PATH = "/v1/access_token"
WAIT_SECONDS = 30


def run_inside(scene: Scene, work: Coroutine[Any, Any, T]) -> T:
    """Run *work* on the application's own event loop."""
    return asyncio.run_coroutine_threadsafe(work, scene.loop).result(WAIT_SECONDS)


def token_requests(scene: Scene) -> int:
    """Count the token requests that reached Webex."""
    return scene.emulator.journal.count("POST", TOKEN_PATH)


def held(scene: Scene, look: Callable[[Ledger], Coroutine[Any, Any, list[T]]]) -> list[T]:
    """Look at what the application's ledger holds: `held(scene, ledgers.grants)`."""
    return run_inside(scene, look(scene.integration.context.ledger))


def grant_keys(scene: Scene) -> list[bytes]:
    return [grant.key for grant in held(scene, grants)]


def has_grant(scene: Scene, email: str, emulator: Emulator | None = None) -> bool:
    """Return whether the person's tokens live at Webex."""
    webex = emulator or scene.emulator
    person = webex.world.person_by_email(email)
    assert person
    return webex.tokens.has_grant(scene.settings.client.client_id, person, ())


def parameter(url: str, name: str) -> str:
    """Read one query parameter of a URL."""
    return parse_qs(urlsplit(url).query)[name][0]


def callback(scene: Scene, **parameters: str) -> str:
    """Write a callback URL with these parameters."""
    prepared = requests.Request("GET", f"{scene.origin}/oauth", params=parameters).prepare()
    assert prepared.url is not None
    return prepared.url


def is_signed_in(browser: Browser) -> bool:
    """Ask a page that only a signed-in browser is shown."""
    return browser.get("/logout").status_code == HTTPStatus.OK


def shown_title(answer: requests.Response) -> str:
    """Read the heading of a page."""
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    assert heading, answer.text
    return unescape(heading[1]).strip()


def said(answer: requests.Response) -> str:
    """Read a page as a person does."""
    return unescape(answer.text)


def offered_return_to(answer: requests.Response) -> str:
    """Read where the page's "Try again" leads."""
    found = re.search(r'name="return_to" value="([^"]*)"', answer.text)
    assert found, answer.text
    return unescape(found[1])
