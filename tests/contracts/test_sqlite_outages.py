"""What SQLite does under load while its file cannot be written."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from contracts.children import Child, children
from contracts.samples import NOW, rewritten, row, store
from contracts.tracing import injecting, needs_strace
from contracts.traffic import traffic
from services.small_disk import filled, small_disk
from services.sqlite import integrity
from waiting import until_true

from webex_oauth.stores.sqlite.files import prepare_files
from webex_oauth.stores.sqlite.rows import SqliteRows
from webex_oauth.vault.rows import Kind

pytestmark = pytest.mark.anyio

WORKERS = 8
LOG_BYTES = 512 * 1024


@pytest.mark.check("H01")
async def test_a_file_locked_by_another_process_costs_no_more_than_the_time(
    sqlite_rows: SqliteRows, database: Path
) -> None:
    async with traffic(sqlite_rows, WORKERS) as people:
        await people.flows(WORKERS)
        with children(("hold_lock", str(database))) as (holder,):
            await until_true(lambda: people.outcomes["StoreUnavailable"])  # while it is held
            holder.go_on()
            assert holder.line() == "released"
            await people.flows(WORKERS)


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
    async with traffic(rows_on_small_disk, WORKERS) as people:
        with filled(disk, free_bytes=LOG_BYTES):
            await until_true(lambda: people.outcomes["StoreUnavailable"])
        await people.flows(WORKERS)

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
