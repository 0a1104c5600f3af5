"""Keys fit the store, in every process, before anything is sealed with them."""

import asyncio
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from logged import fields
from unit.vault.keys import MADE_ON, KeyFixture, no_wait

from webex_oauth.errors import KeyUnavailable, StoreUnavailable
from webex_oauth.secret import Secret
from webex_oauth.vault.key_agreement import (
    LOOK_EVERY_SECONDS,
    SETTLE_SECONDS,
    KeyPresence,
    KeyWatch,
    check_keys,
    keys_in_use,
    open_keys,
)
from webex_oauth.vault.key_file import add_key, make_primary, new_key_line, remove_key
from webex_oauth.vault.reencryption import forget
from webex_oauth.vault.rows import Change, Kind, Row
from webex_oauth.vault.sealing import Key, KeyRing, Keys, Sealer

pytestmark = [pytest.mark.anyio, pytest.mark.check("F03")]

OTHERS = ("one (process 1)", "two (process 2)")


@pytest.fixture
def fixture(tmp_path: Path) -> KeyFixture:
    return KeyFixture(tmp_path / "keys" / "keys")


@pytest.fixture
def other(tmp_path: Path) -> KeyFixture:
    return KeyFixture(tmp_path / "other" / "keys")


async def start(fixture: KeyFixture, path: Path | None = None, text: str | None = None) -> Keys:
    secret = None if text is None else Secret(text)
    return await open_keys(fixture.rows, path or fixture.path, secret, os.urandom, MADE_ON)


async def in_use(fixture: KeyFixture) -> set[str]:
    """Return the ids of the keys in use; check that no question or objection is left."""
    names = {row.name for row in fixture.rows._rows.values() if row.kind is Kind.KEY}
    key_ids = set(await keys_in_use(fixture.rows))
    assert names == {key_id.encode() for key_id in key_ids}
    return key_ids


# At the start


async def test_the_first_start_notes_the_key_and_later_ones_find_it_right(
    fixture: KeyFixture,
) -> None:
    await start(fixture)
    before = await keys_in_use(fixture.rows)
    assert set(before) == {fixture.keys.primary.id}

    assert (await start(fixture)).primary.id == fixture.keys.primary.id
    assert await keys_in_use(fixture.rows) == before


async def test_another_key_is_refused(fixture: KeyFixture, other: KeyFixture) -> None:
    await start(fixture)

    key_id = fixture.keys.primary.id
    complaint = f"key '{key_id}' of the store is not in {other.path}: put it back"
    with pytest.raises(KeyUnavailable, match=re.escape(complaint)):
        await start(fixture, other.path)

    assert await in_use(fixture) == {key_id}


async def test_another_key_under_the_same_name_is_refused(fixture: KeyFixture) -> None:
    await start(fixture)
    line = new_key_line(os.urandom, MADE_ON).split()
    fixture.path.write_text(f"{fixture.keys.primary.id} {line[1]}\n")

    with pytest.raises(KeyUnavailable, match="is not the one the store was sealed with"):
        await start(fixture)


async def test_a_missing_file_is_not_made_anew_for_a_store_in_use(fixture: KeyFixture) -> None:
    await start(fixture)
    fixture.path.unlink()

    with pytest.raises(KeyUnavailable, match=f"{fixture.path} is not there, and the store needs"):
        await start(fixture)

    assert not fixture.path.exists()


async def test_a_key_that_is_still_in_use_is_missed(fixture: KeyFixture) -> None:
    await start(fixture)
    old, new = fixture.keys.primary.id, fixture.next_key()
    await check_keys(fixture.rows, fixture.fresh_sealer(), no_wait)
    assert await in_use(fixture) == {old, new}
    lines = fixture.path.read_text().splitlines(keepends=True)
    fixture.path.write_text("".join(line for line in lines if not line.startswith(old)))

    with pytest.raises(KeyUnavailable, match=f"key '{old}' of the store is not in"):
        await start(fixture)


async def test_wrong_keys_in_the_environment_are_called_so(fixture: KeyFixture) -> None:
    await start(fixture)

    with pytest.raises(KeyUnavailable, match="is not in WEBEX_KEYS: put it back"):
        await start(fixture, text=new_key_line(os.urandom, MADE_ON))


async def test_a_check_moved_to_another_name_is_noticed(fixture: KeyFixture) -> None:
    await start(fixture)
    new = fixture.next_key()
    (check,) = (await keys_in_use(fixture.rows)).values()
    fixture.rows.write_now(Row(Kind.KEY, new.encode(), body=check))

    with pytest.raises(KeyUnavailable, match="is not the one the store was sealed with"):
        await check_keys(fixture.rows, fixture.fresh_sealer())


async def test_after_a_lost_key_was_forgotten_another_one_starts(
    fixture: KeyFixture, other: KeyFixture
) -> None:
    await start(fixture)
    await fixture.fill()
    await forget(fixture.rows, fixture.spool, fixture.keys.primary.id, None)

    keys = await start(fixture, other.path)

    assert await in_use(fixture) == {keys.primary.id}


# A key seals once every living process has it


@pytest.fixture
async def running(fixture: KeyFixture) -> KeyFixture:
    """Return a process whose key is in use."""
    await check_keys(fixture.rows, fixture.sealer)
    return fixture


def with_new_key(running: KeyFixture) -> Sealer:
    """Return the sealer of a process whose file has another key that seals, and the old one."""
    return Sealer(
        KeyRing(Key("new", os.urandom(32)), (running.keys.primary,), "its file"), os.urandom
    )


def living(running: KeyFixture, *sealers: Sealer) -> list[KeyPresence]:
    return [KeyPresence(running.rows, sealer, OTHERS[n]) for n, sealer in enumerate(sealers)]


async def answered_by(*processes: KeyPresence) -> None:
    for process in processes:
        await process.look()


async def test_a_key_that_a_living_process_lacks_does_not_seal(running: KeyFixture) -> None:
    new = with_new_key(running)
    processes = living(running, new, running.sealer)

    with pytest.raises(KeyUnavailable, match="key 'new' cannot seal yet, because two "):
        await check_keys(running.rows, new, lambda _: answered_by(*processes))

    assert await in_use(running) == {running.keys.primary.id}


async def test_a_key_that_every_living_process_has_seals(running: KeyFixture) -> None:
    new = with_new_key(running)
    processes = living(running, new, Sealer(new.keys, os.urandom))

    await check_keys(running.rows, new, lambda _: answered_by(*processes))

    assert await in_use(running) == {"new", running.keys.primary.id}


async def test_another_key_of_the_same_name_is_no_agreement(running: KeyFixture) -> None:
    new, namesake = with_new_key(running), with_new_key(running)

    with pytest.raises(KeyUnavailable, match="cannot seal yet"):
        await check_keys(running.rows, new, lambda _: answered_by(*living(running, namesake)))


async def test_two_questions_at_once_are_answered_each_by_itself(running: KeyFixture) -> None:
    new, is_asked = with_new_key(running), asyncio.Barrier(2)
    (old,) = living(running, running.sealer)

    async def wait(_: float) -> None:
        await is_asked.wait()
        await old.look()

    both = await asyncio.gather(
        *(check_keys(running.rows, new, wait) for _ in range(2)), return_exceptions=True
    )

    assert [type(one) for one in both] == [KeyUnavailable] * 2
    assert await in_use(running) == {running.keys.primary.id}


async def test_an_objection_that_came_too_late_is_cleared_away(running: KeyFixture) -> None:
    running.rows.write_now(Row(Kind.KEY, b"lacked:0011", body=b"two"))

    await answered_by(*living(running, running.sealer))

    assert await in_use(running) == {running.keys.primary.id}


async def test_an_objection_is_written_once(running: KeyFixture) -> None:
    (old,) = living(running, running.sealer)
    writes: list[Change] = []
    running.rows.before_write = writes.append

    with pytest.raises(KeyUnavailable):
        await check_keys(running.rows, with_new_key(running), lambda _: answered_by(old, old, old))

    objections = [one for one in writes if one.row.name.startswith(b"lacked:") and one.row.rev]
    assert len(objections) == 1


async def test_a_question_of_a_killed_process_goes_once_its_key_seals(
    running: KeyFixture,
) -> None:
    new = with_new_key(running)
    (process,) = living(running, new)
    questions: list[Row] = []

    async def be_killed(_: float) -> None:
        questions.extend(row for row in running.rows._rows.values() if b":" in row.name)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await check_keys(running.rows, new, be_killed)
    for question in questions:
        running.rows.write_now(question)
    await check_keys(running.rows, new, lambda _: answered_by(process))

    await process.look()

    assert len(questions) == 1
    assert await in_use(running) == {"new", running.keys.primary.id}


@pytest.mark.parametrize("name", [b"\xff" * 32, b"a key", b"asked:" + b"n" * 58, b"asked:"])
async def test_a_row_whose_name_no_process_wrote_stops_no_process(
    running: KeyFixture, name: bytes
) -> None:
    running.rows.write_now(Row(Kind.KEY, name, body=b"by somebody without a key"))
    new = with_new_key(running)
    (presence,) = living(running, new)

    await presence.check()
    await check_keys(running.rows, new, lambda _: presence.look())

    assert set(await keys_in_use(running.rows)) == {"new", running.keys.primary.id}
    names = {row.name for row in running.rows._rows.values() if row.kind is Kind.KEY}
    assert names == {b"new", running.keys.primary.id.encode(), name}


async def test_a_process_that_lacks_a_key_in_use_is_not_ready_and_says_so_once(
    running: KeyFixture, caplog: pytest.LogCaptureFixture
) -> None:
    (presence,) = living(running, running.sealer)
    await presence.check()
    await check_keys(running.rows, with_new_key(running), no_wait)

    for _ in range(3):
        with pytest.raises(KeyUnavailable, match="not every key of the store is here: new"):
            await presence.check()

    (error,) = (str(fields(record)["error"]) for record in caplog.records)
    assert f"key 'new' of the store is not in {running.path}: put it back" in error


async def test_a_key_that_was_added_to_the_file_is_found_there(running: KeyFixture) -> None:
    key_id = add_key(running.path, new_key_line(os.urandom, MADE_ON)).others[-1].id
    make_primary(running.path, key_id)
    (presence,) = living(running, running.sealer)

    await check_keys(running.rows, running.fresh_sealer(), lambda _: presence.look())

    await presence.check()


# A running process reads its key file again


@pytest.fixture
def watch(fixture: KeyFixture) -> KeyWatch:
    return KeyWatch(fixture.keys, fixture.rows, os.urandom, sleep=no_wait)


def complaints(records: Sequence[logging.LogRecord]) -> list[str]:
    return [str(fields(one)["error"]) for one in records if one.levelno == logging.ERROR]


async def test_a_new_primary_key_is_known_to_the_store_before_it_seals(
    fixture: KeyFixture, watch: KeyWatch
) -> None:
    old, new = fixture.keys.primary.id, fixture.next_key()

    def fail(_: Change) -> None:
        raise StoreUnavailable("away")

    fixture.rows.before_write = fail
    await watch.look()
    assert fixture.keys.primary.id == old

    fixture.rows.before_write = lambda _: None
    await watch.look()

    assert fixture.keys.primary.id == new
    assert await in_use(fixture) == {new}


async def test_a_retired_key_opens_no_more(fixture: KeyFixture, watch: KeyWatch) -> None:
    added = add_key(fixture.path, new_key_line(os.urandom, MADE_ON)).others[-1].id
    await watch.look()
    assert len(fixture.keys.ring.keys) == 2

    remove_key(fixture.path, added)
    await watch.look()

    assert [key.id for key in fixture.keys.ring.keys] == [fixture.keys.primary.id]


@pytest.mark.parametrize("content", [b"", b"half a li", None], ids=["empty", "half", "gone"])
async def test_a_broken_file_is_not_adopted_and_logged_once(
    fixture: KeyFixture,
    watch: KeyWatch,
    content: bytes | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = fixture.keys.ring
    fixture.path.unlink()
    if content is not None:
        fixture.path.touch(0o600)
        fixture.path.write_bytes(content)

    for _ in range(3):
        await watch.look()

    assert fixture.keys.ring is before
    assert len(complaints(caplog.records)) == 1


async def test_a_file_without_a_key_that_is_needed_is_not_adopted(
    fixture: KeyFixture, watch: KeyWatch, caplog: pytest.LogCaptureFixture
) -> None:
    fixture.next_key()
    await watch.look()
    before, text = fixture.keys.ring, fixture.path.read_text()
    fixture.path.write_text(new_key_line(os.urandom, MADE_ON))

    await watch.look()
    assert fixture.keys.ring is before
    assert "put it back" in complaints(caplog.records)[0]

    for content, count in ((text, 1), ("", 2), (text, 2), ("", 3)):
        fixture.path.write_text(content)
        await watch.look()
        assert len(complaints(caplog.records)) == count


@pytest.mark.check("E05")
async def test_a_change_of_keys_is_logged_by_names(
    fixture: KeyFixture, watch: KeyWatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "webex_oauth.vault.key_agreement")
    old, new = fixture.keys.primary.id, fixture.next_key()
    for _ in range(2):
        await watch.look()

    logged = [
        (one.getMessage(), fields(one))
        for one in caplog.records
        if one.name.endswith("key_agreement")
    ]
    assert logged == [
        (f"the keys changed: {new} seals, {[old]} open", {"seals": new, "opens": [old]})
    ]


def test_rows_settle_only_after_every_process_looked() -> None:
    assert SETTLE_SECONDS > LOOK_EVERY_SECONDS
