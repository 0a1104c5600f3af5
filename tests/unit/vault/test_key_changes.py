"""How a key file is changed: whole, one at a time, for its owner alone."""

import fcntl
import logging
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from webex_oauth.vault.key_changes import add_key, make_primary, remove_key
from webex_oauth.vault.key_text import new_key_line
from webex_oauth.vault.keys import read_key_file, read_or_make_key_file

from webex_oauth.errors import KeyUnavailable
from webex_oauth.vault.private_files import replace_private_file

MADE_ON = date(2027, 1, 15)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "keys"
    read_or_make_key_file(path, os.urandom, MADE_ON)
    return path


def new_line() -> str:
    return new_key_line(os.urandom, MADE_ON)


def ids(path: Path) -> list[str]:
    return [key.id for key in read_key_file(path).keys]


def test_a_key_comes_becomes_primary_and_another_goes(path: Path) -> None:
    old = ids(path)[0]
    new = add_key(path, new_line()).others[-1].id
    assert ids(path) == [old, new]

    make_primary(path, new)
    assert ids(path) == [new, old]

    remove_key(path, old)
    assert ids(path) == [new]


@pytest.mark.check("F04")
def test_a_changed_file_is_its_owners_alone_and_nothing_lies_beside_it(path: Path) -> None:
    umask = os.umask(0)
    try:
        add_key(path, new_line())
    finally:
        os.umask(umask)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_the_key_that_seals_is_not_removed(path: Path) -> None:
    before = path.read_text()

    with pytest.raises(KeyUnavailable, match="seals: make another one primary first"):
        remove_key(path, ids(path)[0])

    assert path.read_text() == before


@pytest.mark.parametrize("change", [make_primary, remove_key])
def test_a_key_that_is_not_there_is_not_changed(
    path: Path, change: Callable[[Path, str], object]
) -> None:
    with pytest.raises(KeyUnavailable, match=r"no key in .* is named 'k-typo'"):
        change(path, "k-typo")


def test_what_would_be_refused_is_not_written(path: Path) -> None:
    before = path.read_text()

    with pytest.raises(KeyUnavailable, match="placeholder"):
        add_key(path, new_key_line(bytes, MADE_ON))

    assert path.read_text() == before


@pytest.mark.parametrize("loose", [0o644, 0o660])
@pytest.mark.check("F04")
def test_a_file_that_others_can_use_is_not_changed(path: Path, loose: int) -> None:
    path.chmod(loose)

    with pytest.raises(KeyUnavailable, match="chmod 600"):
        add_key(path, new_line())


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="cannot be used"):
        add_key(tmp_path / "keys", new_line())


def test_commands_at_once_lose_no_key(path: Path) -> None:
    lines = [new_line() for _ in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda line: add_key(path, line), lines))

    assert set(ids(path)) >= {line.split()[0] for line in lines}
    assert len(ids(path)) == 25


def test_a_reader_never_sees_half_a_file(path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        adding = pool.submit(lambda: [add_key(path, new_line()) for _ in range(40)])
        sizes = [len(ids(path))]
        while not adding.done():
            sizes.append(len(ids(path)))
        adding.result()

    assert sizes == sorted(sizes)
    assert len(ids(path)) == 41


def test_what_a_killed_command_left_behind_goes_with_the_next_change(path: Path) -> None:
    path.with_name(".keys.draft").write_text("half a ke")

    add_key(path, new_line())

    assert list(path.parent.iterdir()) == [path]


def test_a_link_in_the_place_of_the_draft_is_not_followed(path: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    path.with_name(".keys.draft").symlink_to(victim)

    replace_private_file(path, path.read_bytes())

    assert victim.read_text() == "untouched"


def test_a_command_does_not_wait_for_another_for_ever(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(KeyUnavailable, match="try again"):
            add_key(path, new_line())
    finally:
        os.close(descriptor)


@pytest.mark.check("E05")
def test_every_change_is_logged_by_name(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    old, line = ids(path)[0], new_line()
    new = add_key(path, line).others[-1].id
    make_primary(path, new)
    remove_key(path, old)

    told = [record.getMessage() for record in caplog.records]
    assert told == [
        f"key {new} was added",
        f"key {new} was made primary",
        f"key {old} was removed",
    ]
    assert line.split()[1] not in str([vars(record) for record in caplog.records])
