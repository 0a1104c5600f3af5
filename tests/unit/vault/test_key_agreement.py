"""A key seals once every living process has it, and a process that lacks one is not ready."""

import asyncio
import os
from pathlib import Path

import pytest
from logged import fields
from unit.vault.key_stage import MADE_ON, KeyStage
from webex_oauth.vault.key_changes import add_key, make_primary
from webex_oauth.vault.key_checks import agree, check_keys, in_use
from webex_oauth.vault.key_text import new_key_line
from webex_oauth.vault.key_watch import KeyPresence
from webex_oauth.vault.keys import KeyFile

from webex_oauth.errors import KeyUnavailable
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.sealing import Key, KeyRing, Sealer

pytestmark = [pytest.mark.anyio, pytest.mark.check("F03")]

OTHERS = ("one (process 1)", "two (process 2)")


@pytest.fixture
async def stage(tmp_path: Path) -> KeyStage:
    """Be a process whose key is in use."""
    stage = KeyStage(tmp_path / "keys" / "keys")
    await check_keys(stage.store, stage.sealer)
    return stage


def with_new_key(stage: KeyStage) -> Sealer:
    """Be a process elsewhere, whose file has another key that seals, and the old one."""
    return Sealer(
        KeyRing(Key("new", os.urandom(32)), (stage.keys.primary,), "its file"), os.urandom
    )


def living(stage: KeyStage, *sealers: Sealer) -> list[KeyPresence]:
    return [KeyPresence(stage.store, sealer, OTHERS[n]) for n, sealer in enumerate(sealers)]


async def answered_by(*processes: KeyPresence) -> None:
    for process in processes:
        await process.look()


async def test_a_key_that_a_living_process_lacks_does_not_seal(stage: KeyStage) -> None:
    new = with_new_key(stage)
    processes = living(stage, new, stage.sealer)

    with pytest.raises(KeyUnavailable, match="key 'new' cannot seal yet, for two "):
        await check_keys(stage.store, new, lambda _: answered_by(*processes))

    assert list(await stage.store.key_checks()) == [stage.keys.primary.id]


async def test_a_key_that_every_living_process_has_seals(stage: KeyStage) -> None:
    new = with_new_key(stage)
    processes = living(stage, new, Sealer(new.keys, os.urandom))

    await check_keys(stage.store, new, lambda _: answered_by(*processes))

    assert set(await stage.store.key_checks()) == {"new", stage.keys.primary.id}


async def test_another_key_of_the_same_name_is_no_agreement(stage: KeyStage) -> None:
    new, namesake = with_new_key(stage), with_new_key(stage)

    with pytest.raises(KeyUnavailable, match="cannot seal yet"):
        await agree(stage.store, new, lambda _: answered_by(*living(stage, namesake)))


async def test_two_questions_at_once_are_answered_each_by_itself(stage: KeyStage) -> None:
    new, is_asked = with_new_key(stage), asyncio.Barrier(2)
    (old,) = living(stage, stage.sealer)

    async def wait(_: float) -> None:
        await is_asked.wait()
        await old.look()

    both = await asyncio.gather(
        *(agree(stage.store, new, wait) for _ in range(2)), return_exceptions=True
    )

    assert [type(one) for one in both] == [KeyUnavailable] * 2
    assert in_use(await stage.store.key_checks()) == await stage.store.key_checks()


async def test_an_objection_that_came_too_late_is_cleared_away(stage: KeyStage) -> None:
    await stage.store.add_key_check("lacked:new:0011", b"two")

    await answered_by(*living(stage, stage.sealer))

    assert list(await stage.store.key_checks()) == [stage.keys.primary.id]


async def test_a_process_that_lacks_a_key_in_use_is_not_ready_and_says_so_once(
    stage: KeyStage, caplog: pytest.LogCaptureFixture
) -> None:
    (presence,) = living(stage, stage.sealer)
    await presence.check()
    await check_keys(stage.store, with_new_key(stage), lambda _: asyncio.sleep(0))

    for _ in range(3):
        with pytest.raises(KeyUnavailable, match="not every key of the store is here: new"):
            await presence.check()

    told = [str(fields(record)["error"]) for record in caplog.records]
    assert len(told) == 1
    assert f"key 'new' of the store is not in {stage.path}: put it back" in told[0]


async def test_a_key_that_was_added_to_the_file_is_found_there(stage: KeyStage) -> None:
    key_id = add_key(stage.path, new_key_line(os.urandom, MADE_ON)).others[-1].id
    make_primary(stage.path, key_id)
    (presence,) = living(stage, stage.sealer)

    await check_keys(
        stage.store, Sealer(KeyFile(stage.path), os.urandom), lambda _: presence.look()
    )

    await presence.check()


async def test_a_question_of_a_killed_process_goes_once_its_key_seals(stage: KeyStage) -> None:
    new = with_new_key(stage)
    (living_one,) = living(stage, new)

    async def be_killed(_: float) -> None:
        questions.update(await stage.store.key_checks())
        raise asyncio.CancelledError

    questions: dict[str, bytes] = {}
    with pytest.raises(asyncio.CancelledError):
        await agree(stage.store, new, be_killed)
    for name, sealed in questions.items():
        await stage.store.add_key_check(name, sealed)
    await check_keys(stage.store, new, lambda _: answered_by(living_one))

    await living_one.look()

    assert set(await stage.store.key_checks()) == {"new", stage.keys.primary.id}


async def test_an_objection_is_written_once(stage: KeyStage) -> None:
    new = with_new_key(stage)
    writes: list[str] = []

    class CountingStore(MemoryStore):
        async def add_key_check(self, key_id: str, sealed: bytes) -> None:
            writes.append(key_id)
            await super().add_key_check(key_id, sealed)

    store = CountingStore()
    await check_keys(store, stage.sealer)
    old = KeyPresence(store, stage.sealer, OTHERS[0])

    with pytest.raises(KeyUnavailable):
        await agree(store, new, lambda _: answered_by(old, old, old))

    assert len([name for name in writes if name.startswith("lacked:")]) == 1
