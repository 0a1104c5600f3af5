"""What SQLite does under load while its file cannot be written."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from contracts.children import Child, children
from contracts.samples import NOW, add, rewritten, row, store
from contracts.tracing import injecting, needs_strace
from waiting import until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.sqlite import SqliteRows
from webex_oauth.stores.sqlite.files import prepare_files
from webex_oauth.vault.rows import Change, Kind

pytestmark = pytest.mark.anyio

WORKERS = 8
DISK_BYTES = 64 * 1024 * 1024
LOG_BYTES = 512 * 1024


class Load:
    """Sign people in, several at once, and remember who was refused."""

    def __init__(self, rows: SqliteRows) -> None:
        self.rows = rows
        self.admitted: list[int] = []
        self.refused: list[int] = []
        self._numbers = count(1)
        self._is_over = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as workers:
            for _ in range(WORKERS):
                workers.create_task(self._work())

    def stop(self) -> None:
        self._is_over = True

    async def _work(self) -> None:
        while not self._is_over:
            number = next(self._numbers)
            try:
                await self._sign_in(number)
            except StoreUnavailable:
                self.refused.append(number)
            else:
                self.admitted.append(number)
            await asyncio.sleep(0.01)

    async def _sign_in(self, number: int) -> None:
        state, session = row(number, Kind.STATE), row(number, Kind.SESSION)
        await self._apply(add(state), durably=False)
        brought = [*add(row(number), session), rewritten(state)]
        await self._apply(brought, durably=False)
        claim = rewritten(row(number))
        await self._apply([claim], durably=True)
        await self._apply([rewritten(claim.row)], durably=True)

    async def _apply(self, changes: Sequence[Change], *, durably: bool) -> None:
        assert await self.rows.apply(changes, durably=durably)

    async def lost(self) -> list[int]:
        """Return the numbers of those who were told that they are signed in, and are not."""
        found = await self.rows.read(*(row(number) for number in self.admitted))
        return [number for number, one in zip(self.admitted, found, strict=True) if one.rev != 3]


def integrity(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
    return str(verdict)


async def until_refused(load: Load) -> None:
    await until_true(lambda: load.refused)


async def until_admitted(load: Load, more: int) -> None:
    enough = len(load.admitted) + more
    await until_true(lambda: len(load.admitted) >= enough)


@pytest.mark.check("H01")
async def test_a_file_locked_by_another_process_costs_no_more_than_the_time(
    sqlite_rows: SqliteRows, database: Path
) -> None:
    load = Load(sqlite_rows)
    running = asyncio.create_task(load.run())
    await until_admitted(load, more=20)
    with children(("hold_lock", str(database))) as (holder,):
        await until_refused(load)  # while the lock is held
        holder.go_on()
        assert holder.line() == "released"
        await until_admitted(load, more=20)
    load.stop()
    await running

    assert await load.lost() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root makes a small disk")
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs"]
    if subprocess.run([mount, *options, disk], check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)  # noqa: S607 - it is where mount is


def fill(disk: Path) -> Path:
    """Leave room for a short log and nothing else; return the file that takes the rest."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(bytes(free.f_bfree * free.f_bsize - LOG_BYTES))
    return ballast


@pytest.fixture
async def rows_on_small_disk(small_disk: Path) -> AsyncIterator[SqliteRows]:
    database = small_disk / "webex.sqlite"
    prepare_files(database)
    rows = SqliteRows(database)
    await rows.open()
    yield rows
    await rows.close()


@pytest.mark.check("H02")
async def test_a_full_disk_loses_nothing_and_works_again_once_there_is_room(
    rows_on_small_disk: SqliteRows, small_disk: Path
) -> None:
    ballast = fill(small_disk)
    load = Load(rows_on_small_disk)
    running = asyncio.create_task(load.run())
    await until_refused(load)
    ballast.unlink()
    await until_admitted(load, more=20)
    load.stop()
    await running

    assert await load.lost() == []
    assert integrity(small_disk / "webex.sqlite") == "ok"


@pytest.mark.check("H02")
async def test_a_log_that_fills_the_disk_is_folded_back(
    rows_on_small_disk: SqliteRows, small_disk: Path
) -> None:
    session, grant = row(1, Kind.SESSION, at=NOW), row(1)
    await store(rows_on_small_disk, session, grant)
    fill(small_disk)

    for second in range(300):
        durable, quick = rewritten(grant), rewritten(session, at=NOW + second)
        assert await rows_on_small_disk.apply([durable], durably=True)
        assert await rows_on_small_disk.apply([quick], durably=False)
        grant, session = durable.row, quick.row

    assert (small_disk / "webex.sqlite-wal").stat().st_size <= LOG_BYTES
    assert list(await rows_on_small_disk.read(grant, session)) == [grant, session]


@needs_strace()
@pytest.mark.check("H02")
@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("fdatasync", "error=EIO:when=4..9"),
        ("fdatasync", "error=EIO:when=5+4"),
        ("pwrite64", "error=ENOSPC:when=30..35"),
        ("pwrite64", "error=EIO:when=20+11"),
    ],
)
async def test_a_disk_that_fails_at_times_is_unavailable_and_keeps_what_was_told(
    sqlite_rows: SqliteRows, database: Path, call: str, fault: str
) -> None:
    await sqlite_rows.close()

    child = Child("refresh_often", str(database), under=injecting(call, fault))
    _, *outcomes, end = child.rest()

    assert set(outcomes) >= {"StoreUnavailable", "refreshed"}
    assert set(outcomes) <= {"StoreUnavailable", "refreshed", "refused"}
    assert end == "kept"
    assert integrity(database) == "ok"
