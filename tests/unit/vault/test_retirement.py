"""A key leaves when nothing needs it; a lost one takes its rows along."""

import logging
import os
from pathlib import Path

import pytest
from unit.vault.key_stage import NOW, KeyStage, plain_grant
from webex_oauth.vault.key_checks import SETTLE_SECONDS, check_keys
from webex_oauth.vault.retirement import check_unused, forget, rows_by_key

from webex_oauth.errors import KeyUnavailable
from webex_oauth.vault.grants import seal_grant
from webex_oauth.vault.records import AttemptRecord, GrantRecord
from webex_oauth.vault.reencryption import Reencryption
from webex_oauth.vault.sealing import Key, KeyRing, Sealer, key_id_of

pytestmark = [pytest.mark.anyio, pytest.mark.check("F03")]


@pytest.fixture
def stage(tmp_path: Path) -> KeyStage:
    return KeyStage(tmp_path / "keys" / "keys")


async def at_once(_: float) -> None:
    """Wait for nothing."""


async def test_rows_are_counted_by_their_keys(stage: KeyStage) -> None:
    await stage.fill()
    old, new = stage.keys.primary.id, stage.next_key()
    await stage.sign_in(2, stage.fresh_sealer())

    assert await rows_by_key(stage.store, stage.spool) == {old: 5, new: 3}


async def test_a_key_with_rows_is_needed(stage: KeyStage) -> None:
    await stage.fill()
    old = stage.keys.primary.id
    stage.next_key()

    with pytest.raises(KeyUnavailable, match=f"'{old}' is still needed .rows under it: 5"):
        await check_unused(stage.store, stage.spool, stage.fresh_sealer(), old, sleep=at_once)


async def test_a_key_with_nothing_but_a_spool_file_is_needed(stage: KeyStage) -> None:
    stage.spool.add(seal_grant(stage.sealer, plain_grant(1), replacing=None))
    old = stage.keys.primary.id
    stage.next_key()

    with pytest.raises(KeyUnavailable, match="rows under it: 1"):
        await check_unused(stage.store, stage.spool, stage.fresh_sealer(), old, sleep=at_once)


async def test_what_is_written_while_one_looks_is_noticed(stage: KeyStage) -> None:
    old, slow = stage.keys.primary.id, stage.sealer
    stage.next_key()

    async def sleep(seconds: float) -> None:
        assert seconds == SETTLE_SECONDS
        await stage.sign_in(1, slow)

    with pytest.raises(KeyUnavailable, match="rows under it: 3"):
        await check_unused(stage.store, stage.spool, stage.fresh_sealer(), old, sleep=sleep)


async def test_after_a_re_encryption_nothing_needs_the_old_key(stage: KeyStage) -> None:
    await stage.fill()
    old = stage.keys.primary.id
    stage.next_key()
    sealer = stage.fresh_sealer()
    await Reencryption(stage.store, stage.spool, sealer, lambda _: None, sleep=at_once).run()

    await check_unused(stage.store, stage.spool, sealer, old, sleep=at_once)

    assert (await rows_by_key(stage.store, stage.spool))[old] == 0


async def test_a_row_that_is_broken_needs_no_key(stage: KeyStage) -> None:
    grant = await stage.sign_in(1)
    old = stage.keys.primary.id
    stage.next_key()
    sealer = stage.fresh_sealer()
    await Reencryption(stage.store, stage.spool, sealer, lambda _: None, sleep=at_once).run()
    broken = grant.sealed[:-1] + bytes([grant.sealed[-1] ^ 1])
    current = await stage.store.find_grant(grant.key)
    assert current
    await stage.store.reseal(current, broken)

    await check_unused(stage.store, stage.spool, sealer, old, sleep=at_once)


@pytest.mark.check("E05")
async def test_a_lost_key_takes_everything_under_it_along(
    stage: KeyStage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.fill()
    lost = stage.keys.primary.id
    await check_keys(stage.store, stage.sealer)
    sealer = Sealer(KeyRing(Key("k-fresh", os.urandom(32))), os.urandom)
    kept = await stage.sign_in(2, sealer)

    await forget(stage.store, stage.spool, lost, NOW)

    kinds = {type(row) for row in await stage.rows() if key_id_of(row.sealed) == lost}
    assert kinds == {AttemptRecord}
    assert [row.key for row in await stage.store.scan(GrantRecord, after=b"", limit=9)] == [
        kept.key
    ]
    assert await stage.store.key_checks() == {}
    ours = [one for one in caplog.records if one.name.startswith("webex_oauth.")]
    [told] = ours
    assert told.levelno == logging.WARNING
    assert f"lost key {lost} was forgotten" in told.getMessage()
