"""All rows come under the primary key, whatever happens meanwhile."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from unit.vault.key_stage import KeyStage, plain_grant
from webex_oauth.vault.key_checks import SETTLE_SECONDS
from webex_oauth.vault.sealed_rows import context_of

from webex_oauth.errors import ConfigurationError, StoreUnavailable
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.grants import open_grant, seal_grant
from webex_oauth.vault.records import GrantRecord, SealedRecord
from webex_oauth.vault.reencryption import MOST_PASSES, Outcome, Reencryption, Tally
from webex_oauth.vault.sealing import Sealer, key_id_of

pytestmark = [pytest.mark.anyio, pytest.mark.check("F03")]


@pytest.fixture
def stage(tmp_path: Path) -> KeyStage:
    return KeyStage(tmp_path / "keys" / "keys")


async def at_once(_: float) -> None:
    """Wait for nothing."""


async def reencrypt(
    stage: KeyStage, sealer: Sealer, sleep: Callable[[float], Awaitable[None]] = at_once
) -> Tally:
    work = Reencryption(stage.store, stage.spool, sealer, lambda _: None, sleep=sleep)
    return await work.run()


async def ids(stage: KeyStage) -> set[str]:
    return {key_id_of(row.sealed) for row in await stage.rows()}


async def test_every_kind_of_row_and_the_spool_come_under_the_primary_key(stage: KeyStage) -> None:
    await stage.fill()
    assert len(await stage.rows()) == 5
    new = stage.next_key()

    tally = await reencrypt(stage, stage.fresh_sealer())

    assert await ids(stage) == {new}
    assert tally[Outcome.RESEALED] == 5


async def test_what_was_resealed_opens_to_the_same(stage: KeyStage) -> None:
    grant = await stage.fill()
    stage.next_key()
    sealer = stage.fresh_sealer()

    await reencrypt(stage, sealer)

    after = await stage.store.find_grant(grant.key)
    assert after
    assert open_grant(sealer, after) == plain_grant(1)
    assert replace(after, sealed=grant.sealed) == grant
    for row in await stage.rows():
        assert sealer.open(row.sealed, context_of(row))


async def test_more_rows_than_a_batch_are_all_done(stage: KeyStage) -> None:
    for number in range(120):
        await stage.sign_in(number)
    new = stage.next_key()

    tally = await reencrypt(stage, stage.fresh_sealer())

    assert await ids(stage) == {new}
    assert tally[Outcome.RESEALED] == 360


async def test_where_nothing_is_old_nothing_is_written(stage: KeyStage) -> None:
    await stage.fill()
    before = await stage.rows()

    tally = await reencrypt(stage, stage.fresh_sealer())

    assert tally[Outcome.RESEALED] == 0
    assert await stage.rows() == before


async def test_what_a_slow_process_still_wrote_is_found(stage: KeyStage) -> None:
    await stage.fill()
    slow, new, naps = stage.sealer, stage.next_key(), []

    async def sleep(seconds: float) -> None:
        if seconds == SETTLE_SECONDS:
            naps.append(seconds)
            if len(naps) <= 2:
                await stage.sign_in(100 + len(naps), slow)

    await reencrypt(stage, stage.fresh_sealer(), sleep)

    assert await ids(stage) == {new}
    assert len(naps) == 3


async def test_it_never_ends_before_the_processes_had_time_to_look(stage: KeyStage) -> None:
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    await reencrypt(stage, stage.fresh_sealer(), sleep)

    assert SETTLE_SECONDS in naps


async def test_a_process_that_keeps_the_old_key_is_told_of(stage: KeyStage) -> None:
    slow, count = stage.sealer, iter(range(100))
    stage.next_key()

    async def sleep(seconds: float) -> None:
        if seconds == SETTLE_SECONDS:
            await stage.sign_in(next(count), slow)

    with pytest.raises(ConfigurationError, match="give every process the same keys"):
        await reencrypt(stage, stage.fresh_sealer(), sleep)

    assert next(count) == MOST_PASSES - 1


class Racing(MemoryStore):
    """A store in which a row is written anew just before it would be resealed."""

    def __init__(self) -> None:
        super().__init__()
        self.newer: GrantRecord | None = None

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        if self.newer is not None and isinstance(record, GrantRecord):
            newer, self.newer = self.newer, None
            await self.replace_grant(newer, record.version)
        return await super().reseal(record, sealed)


async def test_a_row_written_meanwhile_is_not_overwritten_and_not_forgotten(tmp_path: Path) -> None:
    store = Racing()
    stage = KeyStage(tmp_path / "keys" / "keys", store)
    slow, new, naps = stage.sealer, stage.next_key(), iter((1, 2, 3))
    grant = await stage.sign_in(1, stage.fresh_sealer())
    older = seal_grant(slow, plain_grant(1), replacing=grant)

    async def sleep(seconds: float) -> None:
        if seconds == SETTLE_SECONDS and next(naps) == 1:
            await store.replace_grant(older, grant.version)
            store.newer = seal_grant(slow, plain_grant(1), replacing=older)

    await reencrypt(stage, stage.fresh_sealer(), sleep)

    after = await store.find_grant(grant.key)
    assert after
    assert after.version == older.version + 1
    assert await ids(stage) == {new}


async def test_a_row_that_does_not_open_is_left_and_counted(stage: KeyStage) -> None:
    grant = await stage.sign_in(1)
    broken = grant.sealed[:-1] + bytes([grant.sealed[-1] ^ 1])
    await stage.store.reseal(grant, broken)
    stage.next_key()

    tally = await reencrypt(stage, stage.fresh_sealer())

    left = await stage.store.find_grant(grant.key)
    assert left
    assert left.sealed == broken
    assert (tally[Outcome.UNOPENED], tally[Outcome.RESEALED]) == (1, 2)


class Flickering(MemoryStore):
    """A store that fails every now and then."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self._every = every
        self._tries = 0

    async def reseal(self, record: SealedRecord, sealed: bytes) -> bool:
        self._tries += 1
        if self._tries % self._every == 0:
            raise StoreUnavailable("away")
        return await super().reseal(record, sealed)


async def test_an_outage_of_the_store_is_survived(tmp_path: Path) -> None:
    stage = KeyStage(tmp_path / "keys" / "keys", Flickering(every=4))
    await stage.sign_in(1)
    await stage.sign_in(2)
    new = stage.next_key()

    tally = await reencrypt(stage, stage.fresh_sealer())

    assert await ids(stage) == {new}
    assert tally[Outcome.RESEALED] == 6


async def test_a_store_that_stays_away_is_told(tmp_path: Path) -> None:
    stage = KeyStage(tmp_path / "keys" / "keys", Flickering(every=1))
    await stage.sign_in(1)
    stage.next_key()

    with pytest.raises(StoreUnavailable):
        await reencrypt(stage, stage.fresh_sealer())


async def test_a_stopped_run_is_resumed_where_it_was(stage: KeyStage) -> None:
    for number in range(60):
        await stage.sign_in(number)
    new = stage.next_key()

    async def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await reencrypt(stage, stage.fresh_sealer(), stop)
    done = sum(key_id_of(row.sealed) == new for row in await stage.rows())
    tally = await reencrypt(stage, stage.fresh_sealer())

    assert done == 60
    assert tally[Outcome.RESEALED] == 180 - done
    assert await ids(stage) == {new}
