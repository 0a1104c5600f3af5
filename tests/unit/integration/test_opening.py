"""An integration: what runs besides answering, where its keys come from, how it ends."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from unit.settings.examples import GOOD

from webex_oauth.errors import KeyUnavailable, StoreUnavailable
from webex_oauth.integration import open_integration
from webex_oauth.opening.shared_clock import SharedClock
from webex_oauth.settings import Settings, changed
from webex_oauth.stores.memory import MemoryRows

pytestmark = pytest.mark.anyio

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
TASKS = {"clock", "keys", "rescue", "revocations", "sweeper", "keeper"}


def settings_in(folder: Path, **variables: str) -> Settings:
    """Read settings that keep the keys in *folder* and everything else in memory."""
    changes = {"WEBEX_STORE_URL": "memory:", "WEBEX_KEYS_FILE": str(folder / "keys" / "keys")}
    return Settings.from_env(None, GOOD | changes | variables)


def running() -> set[str]:
    """Name the tasks of an integration that run."""
    return {task.get_name() for task in asyncio.all_tasks()} & TASKS


async def test_while_it_is_open_its_tasks_run_and_then_none_does(tmp_path: Path) -> None:
    async with open_integration(settings_in(tmp_path)):
        while_open = running()

    assert while_open == TASKS
    assert running() == set()


async def test_the_keeper_may_run_elsewhere(tmp_path: Path) -> None:
    async with open_integration(settings_in(tmp_path, WEBEX_KEEPER="no")):
        assert running() == TASKS - {"keeper"}


async def test_a_clock_of_ones_own_needs_no_shared_one(tmp_path: Path) -> None:
    async with open_integration(settings_in(tmp_path), clock=lambda: 7) as integration:
        assert running() == TASKS - {"clock"}
        assert integration.context.clock() == 7


@pytest.mark.check("H13")
async def test_without_one_it_goes_by_the_stores_clock(tmp_path: Path) -> None:
    class AheadRows(MemoryRows):
        async def time(self) -> float:
            return await super().time() + 86_400

    async with open_integration(settings_in(tmp_path), rows=AheadRows()) as integration:
        clock = integration.context.clock
        ahead_seconds = clock() - await MemoryRows().time()

    assert isinstance(clock, SharedClock)
    assert 86_398 < ahead_seconds < 86_402


@pytest.mark.check("F04")
async def test_keys_in_the_environment_make_no_file(tmp_path: Path) -> None:
    settings = Settings.from_env(
        None, GOOD | {"WEBEX_STORE_URL": "memory:", "WEBEX_KEYS": f"k7 {KEY}"}
    )
    settings = changed(settings, keys_file=tmp_path / "keys" / "keys")

    async with open_integration(settings) as integration:
        assert integration.context.sealer.keys.primary.id == "k7"
        assert running() == TASKS - {"keys"}

    assert not settings.keys_file.exists()


async def test_what_it_cannot_start_with_leaves_nothing_behind(tmp_path: Path) -> None:
    class ClosingRows(MemoryRows):
        is_closed = False

        async def close(self) -> None:
            self.is_closed = True

    settings, rows = settings_in(tmp_path), ClosingRows()
    settings.keys_file.parent.mkdir(mode=0o700)
    settings.keys_file.write_text("changeme")
    settings.keys_file.chmod(0o600)

    with pytest.raises(KeyUnavailable):
        async with open_integration(settings, rows=rows):
            pytest.fail("it started")

    assert rows.is_closed
    assert running() == set()


@pytest.mark.parametrize("settings", [None, GOOD, "memory:"])
async def test_what_is_no_settings_is_told_at_once(settings: Any) -> None:
    with pytest.raises(TypeError, match="from_env"):
        async with open_integration(settings):
            pass


async def test_a_store_that_is_down_at_start_is_told(tmp_path: Path) -> None:
    class DownRows(MemoryRows):
        async def time(self) -> float:
            raise StoreUnavailable("down")

    with pytest.raises(StoreUnavailable):
        async with open_integration(settings_in(tmp_path), rows=DownRows()):
            pytest.fail("it started")
