"""Tokens that came and could not be stored are never lost, and get into the store in the end."""

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from unit.vault.fakes import (
    ALICE,
    NO_FOLDER,
    SECOND,
    THIRD,
    FakeEndpoint,
    VaultFixture,
    alice,
    issued,
    signed_in,
    tokens,
)
from waiting import LIMIT_SECONDS

from webex_oauth.errors import (
    ConfigurationError,
    ReauthRequired,
    RefreshPostponed,
    SealBroken,
    StoreUnavailable,
)
from webex_oauth.secret import Secret
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.plan import COMMIT_TRIES
from webex_oauth.vault.records import Grant, new_version
from webex_oauth.vault.rescue import MAX_FILE_BYTES, Spool, Spooled
from webex_oauth.vault.rows import Kind, Row
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
from webex_oauth.vault.vault import Kept

pytestmark = [pytest.mark.anyio, pytest.mark.check("H02")]

DOWN = StoreUnavailable("down")


async def unstored(folder: Path, *script: Any, failures: int = 1) -> VaultFixture:
    """Refresh alice's grant while the store takes no writes; access-2 is in the rescue."""
    answer = issued(2, refresh_token="refresh-2")
    fixture = await signed_in(answer, *script, folder=folder)
    if folder != NO_FOLDER:
        await fixture.rescue.open()
    fixture.rows.before["tokens"] = [DOWN] * failures
    assert await fixture.vault.access_token(ALICE) == SECOND
    return fixture


def spooled(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


def spool_in(folder: Path, grant: Grant, ledger: Ledger) -> None:
    Spool(folder, os.urandom).add(Spooled(grant.key, ledger.seal_grant(grant)))


async def check_settled(fixture: VaultFixture, access_token: Secret = SECOND) -> None:
    """Check that nothing waits any more, and which tokens are in the row."""
    assert fixture.rescue.is_empty
    assert (await fixture.stored()).tokens.access_token == access_token
    assert spooled(fixture.folder) == []


async def test_tokens_that_could_not_be_stored_are_served_until_they_are(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)

    assert await fixture.vault.access_token(ALICE) == SECOND
    assert (await fixture.vault.grant(ALICE)).tokens.refresh_token == Secret("refresh-2")
    assert fixture.endpoint.presented() == ["refresh-1"]
    assert not fixture.rescue.is_empty, "the process is not ready"

    await fixture.rescue.retry()

    await check_settled(fixture)


async def test_nothing_is_refreshed_while_its_tokens_are_in_the_rescue(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)

    with pytest.raises(RefreshPostponed):
        await fixture.vault.refreshed(ALICE, SECOND)
    fixture.clock.now += 1_000_000
    assert await fixture.vault.keep(ALICE) is Kept.POSTPONED

    assert len(fixture.endpoint.requests) == 1


@pytest.mark.check("B07")
async def test_they_are_on_the_disk_before_they_are_used(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)

    (file,) = spooled(tmp_path)
    content = Spool(tmp_path, os.urandom).read(file.name)
    grant = fixture.ledger.open_grant(content.key, content.body)
    assert (content.key, grant.tokens.access_token) == (ALICE, SECOND)
    assert b"access-2" not in file.read_bytes()
    assert b"refresh-2" not in file.read_bytes()


async def test_they_are_tried_until_the_store_is_back(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path, failures=4)

    for _ in range(3):
        await fixture.rescue.retry()
        assert not fixture.rescue.is_empty
    await fixture.rescue.retry()

    await check_settled(fixture)


async def test_they_are_tried_in_the_background(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    is_written = asyncio.Event()
    fixture.rows.after["tokens"] = [is_written.set]
    task = asyncio.create_task(fixture.rescue.run())

    async with asyncio.timeout(LIMIT_SECONDS):
        await is_written.wait()

    task.cancel()
    await asyncio.wait([task])
    assert (await fixture.stored()).tokens.access_token == SECOND


@pytest.mark.check("B10")
async def test_another_process_takes_up_what_a_dead_one_left(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    fixture.rescue = fixture.another_rescue()

    await fixture.rescue.open()
    assert not fixture.rescue.is_empty
    await fixture.rescue.retry()

    await check_settled(fixture)


@pytest.mark.check("B10")
async def test_a_lapsed_lease_is_not_taken_over_while_tokens_lie_in_the_spool(
    tmp_path: Path,
) -> None:
    fixture = await unstored(tmp_path)
    fixture.clock.now += 31

    assert await fixture.another_vault().access_token(ALICE) == SECOND

    assert fixture.endpoint.presented() == ["refresh-1"]


async def test_a_write_whose_answer_was_lost_is_not_written_twice(tmp_path: Path) -> None:
    fixture = await signed_in(issued(2), folder=tmp_path)
    await fixture.rescue.open()
    fixture.rows.after["tokens"] = [DOWN]
    assert await fixture.vault.access_token(ALICE) == SECOND
    before = await fixture.entry()

    await fixture.rescue.retry()

    assert fixture.rescue.is_empty
    assert await fixture.entry() == before


async def test_a_newer_row_wins_and_the_file_goes(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    newer = tokens("access-9", lives_for=1_000, refresh="refresh-9")
    await fixture.admit(newer)

    assert await fixture.vault.access_token(ALICE) == Secret("access-9")
    await fixture.rescue.retry()

    await check_settled(fixture, Secret("access-9"))
    assert (await fixture.stored()).tokens == newer


async def mark_refused(fixture: VaultFixture) -> None:
    """Write, as another process, that the refresh token in the row was refused."""
    version = (await fixture.stored()).version
    await fixture.change(version=version + 1, reauth_reason="refresh_token_refused")


async def test_a_row_that_needs_the_person_gives_way(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    await mark_refused(fixture)

    await fixture.rescue.retry()

    after = await fixture.stored()
    assert (after.tokens.access_token, after.reauth_reason) == (SECOND, None)
    assert after.tokens.refresh_token == Secret("refresh-2")


async def test_rescued_tokens_that_were_stored_and_refused_stay_refused(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    fixture.rows.after["tokens"] = [DOWN]
    await fixture.rescue.retry()
    await mark_refused(fixture)

    await fixture.rescue.retry()

    assert fixture.rescue.is_empty
    assert (await fixture.stored()).reauth_reason == "refresh_token_refused"


async def test_a_row_that_was_only_marked_meanwhile_takes_them(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    await fixture.change(is_access_refused=True)

    await fixture.rescue.retry()

    await check_settled(fixture)
    assert not (await fixture.stored()).is_access_refused


async def test_newer_tokens_that_come_to_the_rescue_meanwhile_stay_there(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    rescued = fixture.rescue.find(await fixture.stored())
    assert rescued
    latest = replace(rescued, tokens=tokens("access-3"), version=rescued.version + 1)
    fixture.rows.after["tokens"] = [lambda: fixture.rescue.keep_at_once(latest)]

    await fixture.rescue.retry()
    assert not fixture.rescue.is_empty
    for _ in range(2):
        await fixture.rescue.retry()
        await fixture.rescue.look()

    await check_settled(fixture, THIRD)


async def test_a_file_that_was_written_late_displaces_nothing(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    grant = await fixture.stored()
    early, late = (
        replace(grant, tokens=tokens(access), version=grant.version + 1)
        for access in ("access-4", "access-5")
    )
    keeping = asyncio.create_task(fixture.rescue.keep(early))
    await asyncio.sleep(0)
    fixture.rescue.keep_at_once(late)

    await keeping

    assert (await fixture.vault.grant(ALICE)).tokens.access_token == Secret("access-5")


async def queued(fixture: VaultFixture) -> set[Secret | None]:
    """Return the refresh tokens that are queued for revocation."""
    taken = await fixture.ledger.take_revocations(fixture.clock.now, 0, 9)
    return {revocation.tokens.refresh_token for revocation in taken}


async def test_tokens_of_a_grant_that_was_ended_are_queued_for_revocation(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    await fixture.end()
    fixture.rows.before["revoke"] = [DOWN]

    await fixture.rescue.retry()
    assert len(spooled(tmp_path)) == 1
    await fixture.rescue.retry()

    assert fixture.rescue.is_empty
    assert await queued(fixture) == {Secret("refresh-1"), Secret("refresh-2")}
    assert spooled(tmp_path) == []


async def test_tokens_that_came_for_an_ended_grant_are_queued_at_once() -> None:
    fixture = await signed_in(issued(2, refresh_token="refresh-2"))
    fixture.endpoint.before_answer = lambda: fixture.rows.drop(ALICE)

    with pytest.raises(ReauthRequired):
        await fixture.vault.access_token(ALICE)

    assert await queued(fixture) == {Secret("refresh-2")}


async def test_another_sign_in_does_not_get_rescued_tokens_of_the_ended_one(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    await fixture.end()
    await fixture.admit(tokens("access-9", lives_for=1_000))

    assert await fixture.vault.access_token(ALICE) == Secret("access-9")


async def test_without_a_disk_memory_keeps_them(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        fixture = await unstored(NO_FOLDER)
    await fixture.rescue.retry()

    assert "in memory alone" in caplog.text
    assert (await fixture.stored()).tokens.access_token == SECOND


async def test_a_disk_that_comes_back_gets_them_after_all(tmp_path: Path) -> None:
    fixture = await signed_in(issued(2), folder=tmp_path / "later")
    fixture.rows.before["tokens"] = [DOWN, DOWN]
    await fixture.vault.access_token(ALICE)
    assert spooled(tmp_path) == []

    Spool(tmp_path / "later", os.urandom).open()
    await fixture.rescue.retry()

    assert len(spooled(tmp_path / "later")) == 1


async def test_a_program_that_ends_without_closing_writes_them_without_a_thread(
    tmp_path: Path,
) -> None:
    no_threads = ThreadPoolExecutor()
    no_threads.shutdown()
    asyncio.get_running_loop().set_default_executor(no_threads)
    fixture = await unstored(tmp_path)
    assert len(spooled(tmp_path)) == 1

    await fixture.rescue.retry()

    await check_settled(fixture)


async def test_an_error_that_nobody_thought_of_loses_no_tokens(tmp_path: Path) -> None:
    fixture = await signed_in(issued(2, refresh_token="refresh-2"), folder=tmp_path)
    await fixture.rescue.open()
    fixture.rows.before["tokens"] = [RuntimeError("cannot schedule new futures")]
    with pytest.raises(RuntimeError):
        await fixture.vault.access_token(ALICE)
    assert len(spooled(tmp_path)) == 1

    await fixture.rescue.retry()

    await check_settled(fixture)


async def test_tokens_that_came_while_the_vault_was_closing_are_kept(tmp_path: Path) -> None:
    fixture = await signed_in(issued(2), folder=tmp_path)
    await fixture.rescue.open()
    is_reached = asyncio.Event()

    async def hang() -> None:
        is_reached.set()
        await asyncio.Event().wait()

    fixture.rows.before["tokens"] = [hang]
    caller = asyncio.create_task(fixture.vault.access_token(ALICE))
    await is_reached.wait()

    await fixture.vault.close(grace_seconds=0.01)
    await asyncio.gather(caller, return_exceptions=True)

    (file,) = spooled(tmp_path)
    content = Spool(tmp_path, os.urandom).read(file.name)
    grant = fixture.ledger.open_grant(content.key, content.body)
    assert grant.tokens.access_token == SECOND


async def test_a_grant_that_keeps_moving_loses_no_tokens(tmp_path: Path) -> None:
    fixture = await signed_in(issued(2), folder=tmp_path)
    await fixture.rescue.open()
    fixture.rows.before["tokens"] = [fixture.change] * COMMIT_TRIES

    assert await fixture.vault.access_token(ALICE) == SECOND
    assert not fixture.rescue.is_empty
    await fixture.rescue.retry()

    await check_settled(fixture)


async def test_one_grant_that_cannot_be_settled_does_not_stop_the_others(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    bob = replace(alice(tokens("access-b")), subject="bob", version=4)
    body = fixture.ledger.seal_grant(bob)
    fixture.rows._rows[Kind.GRANT, bob.key] = Row(Kind.GRANT, bob.key, 1, body)
    spool_in(tmp_path, new_version(bob, bob, os.urandom), fixture.ledger)
    await fixture.rescue.look()
    broken = Row(Kind.GRANT, ALICE, 1, b"\x01\x03one" + bytes(40))
    fixture.rows._rows[Kind.GRANT, ALICE] = broken

    await fixture.rescue.retry()

    assert not fixture.rescue.is_empty
    assert len(spooled(tmp_path)) == 1
    stored = await fixture.ledger.find_grant(bob.key)
    assert stored
    assert stored.record.version == 5


async def test_two_files_of_one_grant_are_settled_one_after_the_other(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path)
    stored = await fixture.stored()
    second = new_version(replace(stored, tokens=tokens("access-3")), stored, os.urandom)
    spool_in(tmp_path, second, fixture.ledger)

    for files_left in (1, 0):
        await fixture.rescue.look()
        await fixture.rescue.retry()
        assert len(spooled(tmp_path)) == files_left

    await check_settled(fixture)


async def test_a_file_that_cannot_be_read_is_logged_once_and_blocks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fixture = VaultFixture(folder=tmp_path)
    foreign = Sealer(KeyRing(Key("one", bytes(range(32)))), os.urandom)
    spool_in(tmp_path, alice(tokens()), Ledger(fixture.rows, foreign, 60))

    with caplog.at_level(logging.ERROR):
        await fixture.rescue.open()
        await fixture.rescue.look()

    assert caplog.text.count("cannot be read") == 1
    assert fixture.rescue.is_empty
    assert len(spooled(tmp_path)) == 1


async def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o755)

    with pytest.raises(ConfigurationError, match="chmod 700"):
        await VaultFixture(folder=folder).rescue.open()


@pytest.mark.check("B09")
async def test_rescued_tokens_that_another_process_stored_are_let_go(tmp_path: Path) -> None:
    fixture = await unstored(tmp_path, issued(3))
    other = fixture.another_rescue()
    await other.open()
    await other.retry()
    fixture.clock.now += 1_300_000

    later = fixture.another_vault(endpoint=FakeEndpoint.opened(issued(3)))
    assert await later.access_token(ALICE) == THIRD

    assert await fixture.vault.access_token(ALICE) == THIRD
    await fixture.rescue.retry()
    await check_settled(fixture, THIRD)


# The files

CONTENT = Spooled(b"\x00\xffkey".ljust(32), b"sealed")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "spool", os.urandom)
    spool.open()
    return spool


@pytest.mark.check("F05")
def test_no_other_user_can_read_the_spool(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        spool = Spool(tmp_path / "spool", os.urandom)
        spool.open()
        name = spool.add(CONTENT)
    finally:
        os.umask(before)

    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "spool" / name).stat().st_mode & 0o777 == 0o600


def test_without_a_folder_there_are_no_files(tmp_path: Path) -> None:
    assert Spool(tmp_path / "missing", os.urandom).names() == []


def test_drafts_and_strange_files_are_passed_over(tmp_path: Path, spool: Spool) -> None:
    for name in (".half.grant", "notes.txt", ".hidden"):
        (tmp_path / "spool" / name).write_bytes(b"x")

    assert spool.names() == []


@pytest.mark.bound("file of the spool")
def test_a_file_that_is_too_large_is_not_read(spool: Spool) -> None:
    name = spool.add(Spooled(CONTENT.key, bytes(MAX_FILE_BYTES)))

    with pytest.raises(OSError, match="larger than"):
        spool.read(name)


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x80", b"not a row"])
def test_a_torn_file_is_broken(tmp_path: Path, spool: Spool, content: bytes) -> None:
    path = tmp_path / "spool" / "x.grant"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(SealBroken):
        spool.read("x.grant")
    assert list(spool.all()) == []
