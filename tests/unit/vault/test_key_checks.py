"""Keys that are not the store's are noticed before anything is sealed with them."""

import os
import re
from pathlib import Path

import pytest
from unit.vault.key_stage import MADE_ON, NOW, KeyStage
from webex_oauth.vault.key_checks import check_keys, open_keys
from webex_oauth.vault.key_text import new_key_line
from webex_oauth.vault.keys import KeyFile
from webex_oauth.vault.retirement import forget

from webex_oauth.errors import KeyUnavailable
from webex_oauth.secret import Secret
from webex_oauth.vault.sealing import Keys, Sealer

pytestmark = [pytest.mark.anyio, pytest.mark.check("F03")]


@pytest.fixture
def stage(tmp_path: Path) -> KeyStage:
    return KeyStage(tmp_path / "keys" / "keys")


async def start(stage: KeyStage, path: Path | None = None, text: str | None = None) -> Keys:
    secret = None if text is None else Secret(text)
    return await open_keys(stage.store, path or stage.path, secret, os.urandom, MADE_ON)


async def test_the_first_start_notes_the_key_in_use(stage: KeyStage) -> None:
    await start(stage)

    assert list(await stage.store.key_checks()) == [stage.keys.primary.id]


async def test_later_starts_find_their_keys_right(stage: KeyStage) -> None:
    await start(stage)
    before = await stage.store.key_checks()

    assert (await start(stage)).primary.id == stage.keys.primary.id
    assert await stage.store.key_checks() == before


async def test_another_key_is_refused(stage: KeyStage, tmp_path: Path) -> None:
    await start(stage)
    other = KeyStage(tmp_path / "other" / "keys")

    complaint = f"key '{stage.keys.primary.id}' of the store is not in {other.path}: put it back"
    with pytest.raises(KeyUnavailable, match=re.escape(complaint)):
        await start(stage, other.path)

    assert list(await stage.store.key_checks()) == [stage.keys.primary.id]


async def test_another_key_under_the_same_name_is_refused(stage: KeyStage) -> None:
    await start(stage)
    line = new_key_line(os.urandom, MADE_ON).split()
    stage.path.write_text(f"{stage.keys.primary.id} {line[1]}\n")

    with pytest.raises(KeyUnavailable, match="is not the one the store was sealed with"):
        await start(stage)


async def test_a_missing_file_is_not_made_anew_for_a_store_in_use(stage: KeyStage) -> None:
    await start(stage)
    stage.path.unlink()

    with pytest.raises(KeyUnavailable, match=f"{stage.path} is not there, and the store needs"):
        await start(stage)

    assert not stage.path.exists()


async def test_a_key_that_is_still_in_use_is_missed(stage: KeyStage) -> None:
    await start(stage)
    old, new = stage.keys.primary.id, stage.next_key()
    await start(stage)
    assert set(await stage.store.key_checks()) == {old, new}
    lines = stage.path.read_text().splitlines(keepends=True)
    stage.path.write_text("".join(line for line in lines if not line.startswith(old)))

    with pytest.raises(KeyUnavailable, match=f"key '{old}' of the store is not in"):
        await start(stage)


async def test_keys_from_the_environment_make_no_file(stage: KeyStage, tmp_path: Path) -> None:
    line = new_key_line(os.urandom, MADE_ON)

    keys = await start(stage, tmp_path / "none" / "keys", line)

    assert (keys.primary.id, keys.source) == (line.split()[0], "WEBEX_KEYS")
    assert not (tmp_path / "none").exists()


async def test_wrong_keys_in_the_environment_are_told_as_such(stage: KeyStage) -> None:
    await start(stage)

    with pytest.raises(KeyUnavailable, match="is not in WEBEX_KEYS: put it back"):
        await start(stage, text=new_key_line(os.urandom, MADE_ON))


async def test_a_store_from_before_there_were_checks_is_tried_by_its_rows(
    stage: KeyStage, tmp_path: Path
) -> None:
    await stage.fill()
    other = KeyStage(tmp_path / "other" / "keys")
    key_id = stage.keys.primary.id

    with pytest.raises(KeyUnavailable, match=f"key '{key_id}' of the store is not in"):
        await start(stage, other.path)
    await start(stage)

    assert list(await stage.store.key_checks()) == [key_id]


async def test_one_broken_row_stops_no_start(stage: KeyStage) -> None:
    for number in range(3):
        await stage.fill(number)
    broken = next(iter(await stage.rows()))
    await stage.store.reseal(broken, broken.sealed[:-1] + bytes([broken.sealed[-1] ^ 1]))

    await start(stage)

    assert await stage.store.key_checks()


async def test_a_check_moved_to_another_name_is_noticed(stage: KeyStage) -> None:
    await start(stage)
    other = stage.next_key()
    sealed = (await stage.store.key_checks())[stage.keys.primary.id]
    await stage.store.add_key_check(other, sealed)

    with pytest.raises(KeyUnavailable, match="is not the one the store was sealed with"):
        await check_keys(stage.store, Sealer(KeyFile(stage.path), os.urandom))


async def test_a_sign_in_under_way_with_a_forgotten_key_stops_no_start(
    stage: KeyStage, tmp_path: Path
) -> None:
    await stage.fill()
    await forget(stage.store, stage.spool, stage.keys.primary.id, NOW)
    other = KeyStage(tmp_path / "other" / "keys")

    keys = await start(stage, other.path)

    assert list(await stage.store.key_checks()) == [keys.primary.id]
