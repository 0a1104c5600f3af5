"""Tokens that come while the store is away are kept, and stored as soon as it is back."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

import pytest
from crashes.outages import NETWORK, Outage, behind_proxy, locked
from journeys.acts import grant_keys, held
from ledgers import grants
from scene import Scene
from services.redis import RedisServer, fresh_prefix
from services.small_disk import filled, small_disk
from services.sqlite import being_read
from storm.local_webex import TOKEN_PATH, presentations
from torture import IS_TORTURE
from waiting import LIMIT_SECONDS, until

from webex_oauth.emulator import Delay
from webex_oauth.secret import Secret

pytestmark = pytest.mark.check("H02", "B07", "B10")

FORTNIGHT = 14 * 86_400
ANSWER_SECONDS = 0.5


VARIABLES = {"WEBEX_IDLE_SECONDS": "7776000", "WEBEX_ABSOLUTE_SECONDS": "7776000"}


@dataclass(frozen=True, slots=True)
class Application:
    """An application at work; each outage of its store lasts as long as its block."""

    scene: Scene
    outages: dict[str, Outage]


@contextmanager
def application_on(folder: Path, store_url: str) -> Iterator[Application]:
    """Run an application whose store is a server, behind a network that fails."""
    with behind_proxy(store_url) as (proxy, url):
        outages: dict[str, Outage] = {
            name: partial(proxy.outage, begin) for name, begin in NETWORK.items()
        }
        with Scene(folder, variables=VARIABLES | {"WEBEX_STORE_URL": url}) as scene:
            yield Application(scene, outages)


@pytest.fixture
def on_server(server_url: str, tmp_path: Path) -> Iterator[Application]:
    with application_on(tmp_path, server_url) as application:
        yield application


@pytest.fixture
def on_file(tmp_path: Path) -> Iterator[Application]:
    """Run an application all of whose files are on one disk that can be filled."""
    with small_disk(tmp_path) as disk, Scene(disk, variables=VARIABLES) as scene:
        outages: dict[str, Outage] = {
            "locked": partial(locked, scene.data_folder / "vault.sqlite"),
            "disk full": partial(filled, disk),
        }
        yield Application(scene, outages)


@pytest.mark.torture
@pytest.mark.parametrize("outage", NETWORK if IS_TORTURE else ["down"])
def test_tokens_that_no_server_would_take_are_stored_when_it_is_back(
    on_server: Application, outage: str
) -> None:
    check_rescue(on_server.scene, on_server.outages[outage])


def test_tokens_that_a_locked_file_would_not_take_are_stored_when_it_does(
    on_file: Application,
) -> None:
    check_rescue(on_file.scene, on_file.outages["locked"])


def check_rescue(scene: Scene, outage: Outage) -> None:
    """Refresh into an outage: served at once, kept on the disk, stored afterwards, asked once."""
    refresh = Refresh(scene)
    with outage():
        served = refresh.token()
        kept = spooled(scene)
        while_away = scene.browser().get("/readyz").status_code
    wait_until_ready(scene)

    assert (len(kept), while_away) == (1, HTTPStatus.SERVICE_UNAVAILABLE)
    refresh.check_stored_once(served)


def test_tokens_for_which_no_disk_has_room_wait_in_memory(on_file: Application) -> None:
    refresh = Refresh(on_file.scene)
    with being_read(on_file.scene.data_folder / "vault.sqlite"), on_file.outages["disk full"]():
        served = refresh.token()
        kept = spooled(on_file.scene)
        served_again = refresh.ask().result(LIMIT_SECONDS)
        while_full = on_file.scene.browser().get("/readyz").status_code
    wait_until_ready(on_file.scene)

    assert (kept, while_full) == ([], HTTPStatus.SERVICE_UNAVAILABLE)
    assert served_again == served
    refresh.check_stored_once(served)


def test_tokens_in_memory_reach_the_spool_once_there_is_room(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    url = redis_server.url(prefix=fresh_prefix())
    with small_disk(tmp_path) as disk, application_on(disk, url) as server:
        refresh = Refresh(server.scene)
        with server.outages["down"]():
            with filled(disk):
                served = refresh.token()
                kept = spooled(server.scene)
            until(lambda: len(spooled(server.scene)) == 1)
            while_away = server.scene.browser().get("/readyz").status_code
        wait_until_ready(server.scene)

        assert (kept, while_away) == ([], HTTPStatus.SERVICE_UNAVAILABLE)
        refresh.check_stored_once(served)


class Refresh:
    """One refresh whose answer takes a while; its refresh token is on its way already."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        scene.signed_in()
        (self._key,) = grant_keys(scene)
        scene.emulator.clock.advance(FORTNIGHT)
        scene.emulator.journal.clear()
        scene.emulator.faults.add("POST", TOKEN_PATH, Delay(ANSWER_SECONDS))
        self._asked = self.ask()
        until(lambda: scene.emulator.journal.count("POST", TOKEN_PATH) > 0)

    def ask(self) -> Future[Secret]:
        """Ask the vault for the access token."""
        asked = self._scene.integration.vault.access_token(self._key)
        return asyncio.run_coroutine_threadsafe(asked, self._scene.loop)

    def token(self) -> Secret:
        """Return the token that it brings."""
        return self._asked.result(LIMIT_SECONDS)

    def check_stored_once(self, served: Secret) -> None:
        """Check that this is stored, that nothing waits, and that one request brought it."""
        (stored,) = held(self._scene, grants)
        assert stored.tokens.access_token == served
        assert presentations(self._scene.emulator) == [1]
        assert spooled(self._scene) == []


def spooled(scene: Scene) -> list[Path]:
    """List what is in the spool, without drafts that are being written."""
    return list(scene.settings.spool_folder.glob("[!.]*"))


def wait_until_ready(scene: Scene) -> None:
    until(lambda: scene.browser().get("/readyz").status_code == HTTPStatus.OK)
