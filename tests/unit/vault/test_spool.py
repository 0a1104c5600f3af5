"""Rows on the disk beside a store: private, whole, named, gone when dropped."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from webex_oauth.errors import SealBroken
from webex_oauth.vault.records import GrantRecord
from webex_oauth.vault.spool import Spool

RECORD = GrantRecord(b"\x00\xffkey".ljust(32), 2**60, b"sealed", 5, None, keep_at=7)


def spool_in(folder: Path) -> Spool:
    spool = Spool(folder / "spool", os.urandom)
    spool.open()
    return spool


def test_what_is_kept_is_read_as_it_was(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)

    name = spool.add(RECORD)

    assert spool.names() == [name]
    assert spool.read(name) == RECORD


def test_two_versions_of_one_grant_lie_side_by_side(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)

    names = {spool.add(RECORD), spool.add(RECORD), spool.add(replace(RECORD, version=3))}

    assert set(spool.names()) == names
    assert len(names) == 3


@pytest.mark.check("F05")
def test_nobody_else_can_read_the_spool(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        name = spool_in(tmp_path).add(RECORD)
    finally:
        os.umask(before)

    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "spool" / name).stat().st_mode & 0o777 == 0o600


def test_what_is_dropped_is_gone_however_often(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    name = spool.add(RECORD)

    spool.drop(name)
    spool.drop(name)

    assert spool.names() == []


def test_a_row_sealed_anew_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    name = spool.add(RECORD)

    spool.replace(name, replace(RECORD, sealed=b"anew"))

    (kept,) = spool.names()
    assert spool.read(kept).sealed == b"anew"


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    assert Spool(tmp_path / "missing", os.urandom).names() == []


def test_drafts_and_strange_files_are_no_rows(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)

    for name in (".half.grant", "notes.txt", ".hidden"):
        (tmp_path / "spool" / name).write_bytes(b"x")

    assert spool.names() == []


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x80", b"not a row"])
def test_a_file_that_is_no_row_is_broken(tmp_path: Path, content: bytes) -> None:
    spool = spool_in(tmp_path)
    path = tmp_path / "spool" / "x.grant"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(SealBroken):
        spool.read("x.grant")
