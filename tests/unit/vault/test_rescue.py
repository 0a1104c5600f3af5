"""Tokens that came and could not be stored are never lost, and get into the store in the end."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from unit.vault.scripted import (
    ALICE,
    ISSUER,
    NO_FOLDER,
    SCOPES,
    House,
    ScriptedTransport,
    TroubledStore,
    issued,
    tokens,
)
from waiting import LIMIT_SECONDS

from webex_oauth.errors import (
    ConfigurationError,
    ReauthRequired,
    RefreshPostponed,
    StoreConflict,
    StoreUnavailable,
)
from webex_oauth.secret import Secret
from webex_oauth.vault.grants import Grant, Held, open_grant, open_revocation, seal_grant
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
from webex_oauth.vault.spool import Spool
from webex_oauth.vault.vault import Kept

pytestmark = [pytest.mark.anyio, pytest.mark.check("H02")]

FIRST, SECOND, THIRD = Secret("access-1"), Secret("access-2"), Secret("access-3")
DOWN = StoreUnavailable("down")


async def with_rescued_tokens(folder: Path, *script: object) -> tuple[House, TroubledStore]:
    """Refresh alice's grant while the store takes no writes; access-2 is in the rescue."""
    store = TroubledStore()
    house = House(issued(2, refresh_token="refresh-2"), *script, store=store, folder=folder)  # type: ignore[arg-type]  # lines
    await house.rescue.open()
    await house.admit(tokens())
    store.before["replace"] = [DOWN]
    assert await house.vault.access_token(ALICE) == SECOND
    return house, store


@asynccontextmanager
async def running(house: House) -> AsyncIterator[None]:
    task = asyncio.create_task(house.rescue.run())
    yield
    task.cancel()
    await asyncio.wait([task])


def spooled(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


async def test_tokens_that_could_not_be_stored_are_served(tmp_path: Path) -> None:
    house, _ = await with_rescued_tokens(tmp_path)

    assert await house.vault.access_token(ALICE) == SECOND
    assert (await house.vault.grant(ALICE)).tokens.refresh_token == Secret("refresh-2")
    assert house.transport.presented() == ["refresh-1"]


async def test_readiness_is_red_until_they_are_stored(tmp_path: Path) -> None:
    house, _ = await with_rescued_tokens(tmp_path)
    assert not house.rescue.is_empty

    await house.rescue.retry()

    assert house.rescue.is_empty
    assert (await house.held()).tokens.access_token == SECOND
    assert spooled(tmp_path) == []


async def test_nothing_is_refreshed_while_its_tokens_are_in_the_rescue(tmp_path: Path) -> None:
    house, _ = await with_rescued_tokens(tmp_path)

    with pytest.raises(RefreshPostponed):
        await house.vault.refreshed(ALICE, SECOND)
    house.clock.now += 1_000_000
    assert await house.vault.keep(ALICE) is Kept.POSTPONED

    assert len(house.transport.requests) == 1


@pytest.mark.check("B07")
async def test_they_are_on_the_disk_before_they_are_used(tmp_path: Path) -> None:
    house, _ = await with_rescued_tokens(tmp_path)

    (file,) = spooled(tmp_path)
    record = Spool(tmp_path, os.urandom).read(file.name)
    assert open_grant(house.sealer, record).tokens.access_token == SECOND
    assert b"access-2" not in file.read_bytes()
    assert b"refresh-2" not in file.read_bytes()


async def test_they_are_tried_until_the_store_is_back(tmp_path: Path) -> None:
    house, store = await with_rescued_tokens(tmp_path)
    store.before["replace"] = [DOWN, DOWN, DOWN]

    for _ in range(3):
        await house.rescue.retry()
        assert not house.rescue.is_empty
    await house.rescue.retry()

    assert (await house.held()).tokens.access_token == SECOND


async def test_they_are_tried_by_themselves(tmp_path: Path) -> None:
    house, store = await with_rescued_tokens(tmp_path)
    store.is_written.clear()

    async with running(house), asyncio.timeout(LIMIT_SECONDS):
        await store.is_written.wait()

    assert (await house.held()).tokens.access_token == SECOND


@pytest.mark.check("B10")
async def test_another_process_takes_up_what_a_dead_one_left(tmp_path: Path) -> None:
    house, _ = await with_rescued_tokens(tmp_path)
    survivor = house.another_rescue()

    await survivor.open()
    assert not survivor.is_empty
    await survivor.retry()

    assert survivor.is_empty
    assert (await house.held()).tokens.access_token == SECOND
    assert spooled(tmp_path) == []


@pytest.mark.check("B10")
async def test_a_lapsed_lease_is_not_taken_over_while_tokens_lie_in_the_spool(
    tmp_path: Path,
) -> None:
    house, _ = await with_rescued_tokens(tmp_path)
    survivor = house.another_vault()
    house.clock.now += 31

    assert await survivor.access_token(ALICE) == SECOND

    assert house.transport.presented() == ["refresh-1"]


async def test_a_write_whose_answer_was_lost_is_not_written_twice(tmp_path: Path) -> None:
    store = TroubledStore()
    house = House(issued(2), store=store, folder=tmp_path)
    await house.rescue.open()
    await house.admit(tokens())
    store.after["replace"] = [DOWN]
    assert await house.vault.access_token(ALICE) == SECOND
    version = (await house.row()).version

    await house.rescue.retry()

    assert house.rescue.is_empty
    assert (await house.row()).version == version


async def test_a_newer_row_wins_and_the_file_goes(tmp_path: Path) -> None:
    house, _ = await with_rescued_tokens(tmp_path)
    newer = tokens("access-9", lives_for=1_000, refresh="refresh-9")
    await house.admit(newer)

    assert await house.vault.access_token(ALICE) == Secret("access-9")
    await house.rescue.retry()

    assert house.rescue.is_empty
    assert (await house.held()).tokens == newer
    assert spooled(tmp_path) == []


async def test_a_row_that_needs_the_person_gives_way(tmp_path: Path) -> None:
    house, _ = await with_rescued_tokens(tmp_path)
    row, held = await house.row(), await house.held()
    marked = seal_grant(house.sealer, replace(held, reauth_reason="refresh_token_refused"), row)
    await house.store.replace_grant(marked, row.version)

    await house.rescue.retry()

    after = await house.held()
    assert (after.tokens.access_token, after.reauth_reason) == (SECOND, None)
    assert after.tokens.refresh_token == Secret("refresh-2")


async def test_rescued_tokens_that_were_stored_and_refused_stay_refused(tmp_path: Path) -> None:
    house, store = await with_rescued_tokens(tmp_path)
    store.after["replace"] = [DOWN]
    await house.rescue.retry()
    row, held = await house.row(), await house.held()
    marked = seal_grant(house.sealer, replace(held, reauth_reason="refresh_token_refused"), row)
    await house.store.replace_grant(marked, row.version)

    await house.rescue.retry()

    assert house.rescue.is_empty
    assert (await house.held()).reauth_reason == "refresh_token_refused"


async def test_newer_tokens_that_come_to_the_rescue_meanwhile_stay_there(tmp_path: Path) -> None:
    house, store = await with_rescued_tokens(tmp_path)
    (file,) = spooled(tmp_path)
    first = Spool(tmp_path, os.urandom).read(file.name)
    newer = replace(await house.held(), tokens=tokens("access-3"))
    latest = Held(seal_grant(house.sealer, newer, first), newer)
    store.on_write = lambda: house.rescue.keep_at_once(latest)

    await house.rescue.retry()
    assert not house.rescue.is_empty
    store.on_write = lambda: None
    for _ in range(2):
        await house.rescue.retry()
        await house.rescue.look()

    assert house.rescue.is_empty
    assert (await house.held()).tokens.access_token == THIRD
    assert spooled(tmp_path) == []


async def test_a_file_that_was_written_late_takes_nobodys_place(tmp_path: Path) -> None:
    house, store = await with_rescued_tokens(tmp_path)
    row, held = await house.row(), await house.held()
    early, late = (
        Held(seal_grant(house.sealer, grant, row), grant)
        for grant in (replace(held, tokens=tokens(access)) for access in ("access-4", "access-5"))
    )
    keeping = asyncio.create_task(house.rescue.keep(early))
    await asyncio.sleep(0)
    house.rescue.keep_at_once(late)

    await keeping

    assert (await house.vault.grant(ALICE)).tokens.access_token == Secret("access-5")
    assert store.calls.count("replace") == 1


async def test_tokens_of_a_grant_that_was_ended_are_queued_for_revocation(tmp_path: Path) -> None:
    house, _ = await with_rescued_tokens(tmp_path)
    await house.store.end_grant(ALICE, now=house.clock.now)

    await house.rescue.retry()

    assert house.rescue.is_empty
    queued = await house.store.take_revocations(now=house.clock.now, until=0, limit=9)
    revoked = {open_revocation(house.sealer, record).refresh_token for record in queued}
    assert revoked == {Secret("refresh-1"), Secret("refresh-2")}
    assert spooled(tmp_path) == []


async def test_tokens_that_came_for_an_ended_grant_are_queued_at_once(tmp_path: Path) -> None:
    house = House(issued(2, refresh_token="refresh-2"), folder=tmp_path)
    await house.admit(tokens())
    house.transport.before_answer = lambda: house.store._grants.pop(ALICE)

    with pytest.raises(ReauthRequired):
        await house.vault.access_token(ALICE)

    (queued,) = await house.store.take_revocations(now=house.clock.now, until=0, limit=9)
    assert open_revocation(house.sealer, queued).refresh_token == Secret("refresh-2")


async def test_tokens_that_cannot_even_be_queued_stay_in_the_rescue(tmp_path: Path) -> None:
    house, store = await with_rescued_tokens(tmp_path)
    await house.store.end_grant(ALICE, now=house.clock.now)
    store.before["revoke"] = [DOWN]

    await house.rescue.retry()
    assert len(spooled(tmp_path)) == 1
    await house.rescue.retry()

    assert spooled(tmp_path) == []


async def test_another_sign_in_does_not_get_rescued_tokens_of_the_ended_one(tmp_path: Path) -> None:
    house, _ = await with_rescued_tokens(tmp_path)
    await house.store.end_grant(ALICE, now=house.clock.now)
    await house.admit(tokens("access-9", lives_for=1_000))

    assert await house.vault.access_token(ALICE) == Secret("access-9")


async def test_without_a_disk_memory_keeps_them(caplog: pytest.LogCaptureFixture) -> None:
    store = TroubledStore()
    house = House(issued(2), store=store, folder=NO_FOLDER)
    await house.admit(tokens())
    store.before["replace"] = [DOWN]

    with caplog.at_level(logging.ERROR):
        assert await house.vault.access_token(ALICE) == SECOND
    await house.rescue.retry()

    assert "in memory alone" in caplog.text
    assert (await house.held()).tokens.access_token == SECOND


async def test_a_disk_that_comes_back_gets_them_after_all(tmp_path: Path) -> None:
    store = TroubledStore()
    house = House(issued(2), store=store, folder=tmp_path / "later")
    await house.admit(tokens())
    store.before["replace"] = [DOWN, DOWN]
    await house.vault.access_token(ALICE)
    assert spooled(tmp_path) == []

    Spool(tmp_path / "later", os.urandom).open()
    await house.rescue.retry()

    assert len(spooled(tmp_path / "later")) == 1


async def test_tokens_that_came_while_the_vault_was_closing_are_kept(tmp_path: Path) -> None:
    store = HangingStore()
    house = House(issued(2), store=store, folder=tmp_path)
    await house.rescue.open()
    await house.admit(tokens())
    caller = asyncio.create_task(house.vault.access_token(ALICE))
    await store.is_reached.wait()

    await house.vault.close(grace_seconds=0.01)
    await asyncio.gather(caller, return_exceptions=True)

    (file,) = spooled(tmp_path)
    record = Spool(tmp_path, os.urandom).read(file.name)
    assert open_grant(house.sealer, record).tokens.access_token == SECOND


class HangingStore(TroubledStore):
    """Take the first write and never answer."""

    def __init__(self) -> None:
        super().__init__()
        self.is_reached = asyncio.Event()

    async def replace_grant(self, *_: object) -> None:
        """Hang."""
        self.is_reached.set()
        await asyncio.Event().wait()


async def test_a_grant_that_keeps_moving_loses_no_tokens(tmp_path: Path) -> None:
    store = TroubledStore()
    house = House(issued(2), store=store, folder=tmp_path)
    await house.rescue.open()
    await house.admit(tokens())
    row, held = await house.row(), await house.held()
    marked = seal_grant(house.sealer, replace(held, reauth_reason="whatever"), row)
    house.transport.before_answer = lambda: store._grants.update({marked.key: marked})
    store.before["replace"] = [StoreConflict("moved")] * 3

    assert await house.vault.access_token(ALICE) == SECOND
    await house.rescue.retry()

    assert (await house.held()).tokens.access_token == SECOND


async def test_one_grant_that_cannot_be_settled_does_not_stop_the_others(tmp_path: Path) -> None:
    house, store = await with_rescued_tokens(tmp_path)
    bob = Grant(ISSUER, "bob", tokens("access-b"), SCOPES)
    first = seal_grant(house.sealer, bob, None)
    store._grants[first.key] = first
    Spool(tmp_path, os.urandom).add(seal_grant(house.sealer, bob, first))
    await house.rescue.look()
    alice = await house.row()
    store._grants[alice.key] = replace(alice, version=5, sealed=b"\x01\x03one" + bytes(40))

    await house.rescue.retry()

    assert not house.rescue.is_empty
    assert len(spooled(tmp_path)) == 1
    assert (store._grants[first.key]).version == first.version + 1


async def test_two_files_of_one_grant_are_settled_one_after_the_other(tmp_path: Path) -> None:
    house, _ = await with_rescued_tokens(tmp_path)
    second = replace(await house.held(), tokens=tokens("access-3"))
    Spool(tmp_path, os.urandom).add(seal_grant(house.sealer, second, await house.row()))

    for files_left in (1, 0):
        await house.rescue.look()
        await house.rescue.retry()
        assert len(spooled(tmp_path)) == files_left

    assert (await house.held()).tokens.access_token == SECOND


async def test_a_file_that_cannot_be_read_is_told_once_and_blocks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(folder=tmp_path)
    record = seal_grant(house.sealer, Grant(ISSUER, "alice", tokens(), SCOPES), None)
    foreign = Sealer(KeyRing(Key("one", bytes(range(32)))), os.urandom)
    Spool(tmp_path, os.urandom).add(
        seal_grant(foreign, Grant(ISSUER, "alice", tokens(), SCOPES), record)
    )

    with caplog.at_level(logging.ERROR):
        await house.rescue.open()
        await house.rescue.look()

    assert caplog.text.count("cannot be read") == 1
    assert house.rescue.is_empty
    assert len(spooled(tmp_path)) == 1


async def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o755)

    with pytest.raises(ConfigurationError, match="chmod 700"):
        await House(folder=folder).rescue.open()


@pytest.mark.check("B09")
async def test_rescued_tokens_that_another_process_stored_are_let_go(tmp_path: Path) -> None:
    house, _ = await with_rescued_tokens(tmp_path, issued(3))
    other = house.another_rescue()
    await other.open()
    await other.retry()
    house.clock.now += 1_300_000

    later = house.another_vault(transport=ScriptedTransport.opened(issued(3)))
    assert await later.access_token(ALICE) == THIRD

    assert await house.vault.access_token(ALICE) == THIRD
    await house.rescue.retry()
    assert house.rescue.is_empty
    assert (await house.held()).tokens.access_token == THIRD


async def test_a_claim_that_fails_spends_nothing(tmp_path: Path) -> None:
    store = TroubledStore()
    house = House(issued(2), store=store, folder=tmp_path)
    await house.admit(tokens())
    store.before["claim"] = [DOWN]

    with pytest.raises(StoreUnavailable):
        await house.vault.access_token(ALICE)

    assert house.transport.requests == []
    assert await house.vault.access_token(ALICE) == SECOND
