"""A running process goes by its key file once the changed file is safe to go by."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from logged import fields
from unit.vault.key_stage import MADE_ON, KeyStage
from webex_oauth.vault.key_changes import add_key, remove_key
from webex_oauth.vault.key_checks import LOOK_EVERY_SECONDS, SETTLE_SECONDS
from webex_oauth.vault.key_text import new_key_line
from webex_oauth.vault.key_watch import KeyWatch

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.memory import MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.check("F03")]


class MovableStore(MemoryStore):
    """A store that can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False

    async def key_checks(self) -> dict[str, bytes]:
        if self.is_away:
            raise StoreUnavailable("away")
        return await super().key_checks()


async def no_wait(_: float) -> None:
    """Let the servers, of which there are none, answer at once."""


@pytest.fixture
def store() -> MovableStore:
    return MovableStore()


@pytest.fixture
def stage(tmp_path: Path, store: MovableStore) -> KeyStage:
    return KeyStage(tmp_path / "keys" / "keys", store)


@pytest.fixture
def watch(stage: KeyStage) -> KeyWatch:
    return KeyWatch(stage.keys, stage.store, os.urandom, sleep=no_wait)


def complaints(records: Sequence[logging.LogRecord]) -> list[str]:
    return [str(fields(one)["error"]) for one in records if one.levelno == logging.ERROR]


async def test_a_new_primary_key_is_known_to_the_store_before_it_seals(
    stage: KeyStage, watch: KeyWatch
) -> None:
    new = stage.next_key()
    assert stage.keys.primary.id != new

    await watch.look()

    assert stage.keys.primary.id == new
    assert new in await stage.store.key_checks()


async def test_while_the_store_is_away_the_old_key_seals(
    stage: KeyStage, watch: KeyWatch, store: MovableStore
) -> None:
    old, new = stage.keys.primary.id, stage.next_key()
    store.is_away = True
    await watch.look()
    assert stage.keys.primary.id == old

    store.is_away = False
    await watch.look()

    assert stage.keys.primary.id == new


async def test_a_retired_key_opens_no_more(stage: KeyStage, watch: KeyWatch) -> None:
    added = add_key(stage.path, new_key_line(os.urandom, MADE_ON)).others[-1].id
    await watch.look()
    assert len(stage.keys.ring.keys) == 2

    remove_key(stage.path, added)
    await watch.look()

    assert [key.id for key in stage.keys.ring.keys] == [stage.keys.primary.id]


@pytest.mark.parametrize("content", [b"", b"half a li", None], ids=["empty", "half", "gone"])
async def test_a_file_that_is_broken_is_not_gone_by_and_told_once(
    stage: KeyStage,
    watch: KeyWatch,
    content: bytes | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = stage.keys.ring
    stage.path.unlink()
    if content is not None:
        stage.path.touch(0o600)
        stage.path.write_bytes(content)

    for _ in range(3):
        await watch.look()

    assert stage.keys.ring is before
    assert len(complaints(caplog.records)) == 1


async def test_a_file_without_a_key_that_is_needed_is_not_gone_by(
    stage: KeyStage, watch: KeyWatch, caplog: pytest.LogCaptureFixture
) -> None:
    stage.next_key()
    await watch.look()
    before, text = stage.keys.ring, stage.path.read_text()
    stage.path.write_text(new_key_line(os.urandom, MADE_ON))

    await watch.look()
    assert stage.keys.ring is before
    assert "put it back" in complaints(caplog.records)[0]

    stage.path.write_text(text)
    await watch.look()
    assert len(complaints(caplog.records)) == 1

    stage.path.write_text("")
    await watch.look()
    stage.path.write_text(text)
    await watch.look()
    stage.path.write_text("")
    await watch.look()
    assert len(complaints(caplog.records)) == 3


@pytest.mark.check("E05")
async def test_a_change_of_keys_is_logged_by_names(
    stage: KeyStage, watch: KeyWatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "webex_oauth.vault.key_watch")
    old, new = stage.keys.primary.id, stage.next_key()
    await watch.look()
    await watch.look()

    told = [
        (one.getMessage(), fields(one)) for one in caplog.records if one.name.endswith("key_watch")
    ]
    assert told == [
        (f"the keys changed: {new} seals, {[old]} open", {"seals": new, "opens": [old]})
    ]


def test_rows_settle_only_after_every_process_looked() -> None:
    assert SETTLE_SECONDS > LOOK_EVERY_SECONDS
