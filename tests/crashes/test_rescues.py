"""Tokens that come while the store is away are kept, and stored as soon as it is back."""

import asyncio
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from crashes.local_webex import TOKEN_PATH, presentations
from crashes.outages import Outage
from crashes.stages import Stage, file_stage, server_stage
from journeys.acts import run_inside
from scene import Scene

from webex_oauth.emulator import Delay
from webex_oauth.secret import Secret
from webex_oauth.vault.grants import open_grant
from webex_oauth.vault.records import GrantRecord

pytestmark = pytest.mark.check("H02", "B07", "B10")

FORTNIGHT = 14 * 86_400
ANSWER_SECONDS = 0.5
LIMIT_SECONDS = 20


@pytest.fixture
def server(server_url: str, tmp_path: Path) -> Iterator[Stage]:
    with server_stage(tmp_path, server_url) as stage:
        yield stage


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Stage]:
    with file_stage(tmp_path) as stage:
        yield stage


@pytest.mark.parametrize("outage", ["down", "hanging", "answers dropped"])
def test_tokens_that_no_server_would_take_are_stored_when_it_is_back(
    server: Stage, outage: str, tmp_path: Path
) -> None:
    check_rescue(server.scene, server.outages[outage], tmp_path)


def test_tokens_that_a_locked_file_would_not_take_are_stored_when_it_does(
    file: Stage, tmp_path: Path
) -> None:
    check_rescue(file.scene, file.outages["locked"], tmp_path)


def check_rescue(scene: Scene, outage: Outage, folder: Path) -> None:
    """Refresh into an outage: served at once, kept on the disk, stored afterwards, asked once."""
    scene.signed_in()
    key = run_inside(scene, only_key(scene))
    scene.emulator.clock.advance(FORTNIGHT)
    scene.emulator.journal.clear()
    scene.emulator.faults.add("POST", TOKEN_PATH, Delay(ANSWER_SECONDS))

    asked = asyncio.run_coroutine_threadsafe(scene.integration.vault.access_token(key), scene.loop)
    wait_until_presented(scene)
    with outage():
        served = asked.result(LIMIT_SECONDS)
        kept = list((folder / "keys" / "spool").iterdir())
        while_away = scene.browser().get("/readyz").status_code
    wait_until_ready(scene)

    assert (len(kept), while_away) == (1, HTTPStatus.SERVICE_UNAVAILABLE)
    assert run_inside(scene, stored_token(scene, key)) == served
    assert presentations(scene.emulator) == [1]
    assert list((folder / "keys" / "spool").iterdir()) == []


async def only_key(scene: Scene) -> bytes:
    (record,) = await scene.integration.context.store.scan(GrantRecord, after=b"", limit=9)
    return record.key


async def stored_token(scene: Scene, key: bytes) -> Secret:
    """Read the token that is in the store itself."""
    record = await scene.integration.context.store.find_grant(key)
    assert record is not None
    return open_grant(scene.integration.context.sealer, record).tokens.access_token


def wait_until_presented(scene: Scene) -> None:
    ends_at = time.monotonic() + LIMIT_SECONDS
    while not scene.emulator.journal.count("POST", TOKEN_PATH):
        assert time.monotonic() < ends_at
        time.sleep(0.01)


def wait_until_ready(scene: Scene) -> None:
    ends_at = time.monotonic() + LIMIT_SECONDS
    while scene.browser().get("/readyz").status_code != HTTPStatus.OK:
        assert time.monotonic() < ends_at
        time.sleep(0.05)
