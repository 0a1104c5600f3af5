"""What SQLite does under load while its file cannot be written."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest
from contracts.children import Child, children
from contracts.samples import NOW, add, rewritten, row, store
from contracts.tracing import injecting, needs_strace
from services.small_disk import filled, small_disk
from services.sqlite import integrity
from waiting import until_true

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.sqlite import SqliteRows
from webex_oauth.stores.sqlite.files import prepare_files
from webex_oauth.vault.rows import Change, Kind

pytestmark = pytest.mark.anyio

WORKERS = 8
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
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path) as disk:
        yield disk


@pytest.fixture
async def rows_on_small_disk(disk: Path) -> AsyncIterator[SqliteRows]:
    database = disk / "webex.sqlite"
    prepare_files(database)
    rows = SqliteRows(database)
    await rows.open()
    yield rows
    await rows.close()


@pytest.mark.check("H02")
async def test_a_full_disk_loses_nothing_and_works_again_once_there_is_room(
    rows_on_small_disk: SqliteRows, disk: Path
) -> None:
    load = Load(rows_on_small_disk)
    with filled(disk, free_bytes=LOG_BYTES):
        running = asyncio.create_task(load.run())
        await until_refused(load)
    await until_admitted(load, more=20)
    load.stop()
    await running

    assert await load.lost() == []
    assert integrity(disk / "webex.sqlite") == "ok"


@pytest.mark.check("H02")
async def test_a_log_that_fills_the_disk_is_folded_back(
    rows_on_small_disk: SqliteRows, disk: Path
) -> None:
    session, grant = row(1, Kind.SESSION, at=NOW), row(1)
    await store(rows_on_small_disk, session, grant)

    with filled(disk, free_bytes=LOG_BYTES):
        for second in range(300):
            durable, quick = rewritten(grant), rewritten(session, at=NOW + second)
            assert await rows_on_small_disk.apply([durable], durably=True)
            assert await rows_on_small_disk.apply([quick], durably=False)
            grant, session = durable.row, quick.row

    assert (disk / "webex.sqlite-wal").stat().st_size <= LOG_BYTES
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
