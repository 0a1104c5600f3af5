"""What SQLite leaves on the disk: nothing for others to read, and no file that is not ours."""

import _sqlite3
import ctypes
import os
import sqlite3
import stat
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_urlsafe

import pytest
from contracts.samples import NOW, deleted, row, store

from webex_oauth.errors import ConfigurationError
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.stores.sqlite.connection import check_sqlite_version
from webex_oauth.stores.sqlite.files import (
    APPLICATION_ID,
    SCHEMA_VERSION,
)
from webex_oauth.stores.sqlite.rows import SqliteRows
from webex_oauth.vault.ledger import Admission, Ledger
from webex_oauth.vault.records import Grant, Profile, Session, digest
from webex_oauth.vault.sealing import Key, KeyRing, Sealer

pytestmark = pytest.mark.anyio

DIARY = b"a diary, and nothing else"
OURS = f"PRAGMA application_id = {APPLICATION_ID}"


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
async def closed(database: Path) -> Path:
    """Return a database that was opened and closed."""
    rows = SqliteRows(database)
    await rows.open()
    await rows.close()
    return database


def make_private_file(path: Path, content: bytes = b"") -> None:
    """Create a file, if there is none, in a folder of its own."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(content)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def every_byte(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def run(database: Path, *statements: str) -> list[tuple[object, ...]]:
    """Run statements as another program; return what the last one finds."""
    found: list[tuple[object, ...]] = []
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for statement in statements:
            found = connection.execute(statement).fetchall()
    return found


@pytest.mark.usefixtures("no_umask")
@pytest.mark.check("F05")
async def test_nobody_else_can_read_the_files(tmp_path: Path) -> None:
    database = tmp_path / "outer" / "data" / "webex.sqlite"
    rows = SqliteRows(database)
    await rows.open()
    await store(rows, row())

    found = modes(database.parent)
    await rows.close()

    assert found == dict.fromkeys(["webex.sqlite", "webex.sqlite-wal", "webex.sqlite-shm"], 0o600)
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(database.parent.parent.stat().st_mode) == 0o700


async def test_a_closed_database_is_one_whole_file(sqlite_rows: SqliteRows, database: Path) -> None:
    await store(sqlite_rows, row())

    await sqlite_rows.close()

    assert [path.name for path in database.parent.iterdir()] == [database.name]
    assert run(database, "PRAGMA integrity_check") == [("ok",)]


def spellings(secret: Secret | None) -> list[bytes]:
    """Spell a secret in the ways in which it might be kept by mistake."""
    assert secret is not None
    raw = secret.reveal().encode()
    decoded = urlsafe_b64decode(raw + b"==")
    return [raw, raw[:12], decoded, raw.hex().encode(), decoded.hex().encode(), b64encode(raw)]


@pytest.mark.check("D01", "E01")
async def test_no_secret_is_in_any_file_of_an_open_database(
    sqlite_rows: SqliteRows, database: Path
) -> None:
    ledger = Ledger(sqlite_rows, Sealer(KeyRing(Key("one", os.urandom(32))), os.urandom), 60)
    session_id, state = (Secret(token_urlsafe(32)) for _ in range(2))
    tokens = TokenSet(Secret(token_urlsafe(64)), NOW, Secret(token_urlsafe(64)), NOW, None)
    grant = Grant("issuer", "alice", tokens, frozenset(), NOW)
    profile = Profile(email="alice@example.com")
    session = Session(digest(session_id), grant.key, profile, NOW, NOW, NOW + 60)

    mark = await ledger.take_state(digest(state), NOW + 60, NOW)
    await ledger.admit(
        Admission(
            mark=mark,
            state_digest=digest(state),
            grant=grant,
            over=0,
            session=session,
            earlier=None,
            replaced_session=None,
            keeps_grants=False,
            at=NOW,
        )
    )

    content = every_byte(database.parent)
    secrets = [session_id, state, tokens.access_token, tokens.refresh_token]
    assert digest(session_id) in content
    assert b"alice@example.com" not in content
    assert [found for secret in secrets for found in spellings(secret) if found in content] == []


@pytest.fixture
def forgetful_sqlite() -> Iterator[None]:
    """Keep deleted bytes by default, as SQLite does if its distributor did not change that.

    An extension runs in each new connection before its owner can use it.
    """
    library = ctypes.CDLL(_sqlite3.__file__)
    extension = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)

    def forget(connection: int, _error: int, _api: int) -> int:
        switch = b"PRAGMA secure_delete = OFF"
        return int(library.sqlite3_exec(ctypes.c_void_p(connection), switch, None, None, None))

    forgetting = extension(forget)
    library.sqlite3_auto_extension(forgetting)
    yield
    library.sqlite3_cancel_auto_extension(forgetting)


@pytest.mark.usefixtures("forgetful_sqlite")
@pytest.mark.check("F06")
async def test_a_deleted_row_leaves_no_trace(sqlite_rows: SqliteRows, database: Path) -> None:
    quick, durable = row(1, body=b"a sealed grant" * 9), row(2, body=b"a sealed session" * 9)
    await store(sqlite_rows, quick, durable)
    assert quick.body in every_byte(database.parent)
    assert await sqlite_rows.apply([deleted(quick)], durably=False)
    assert await sqlite_rows.apply([deleted(durable)], durably=True)

    await sqlite_rows.close()

    content = every_byte(database.parent)
    assert b"sealed grant" not in content
    assert b"sealed session" not in content


LOOSE = {
    "": (0o640, "chmod 600 .*webex.sqlite"),
    "-wal": (0o640, "chmod 600 .*webex.sqlite-wal"),
    "-shm": (0o640, "chmod 600 .*webex.sqlite-shm"),
    "/..": (0o750, "chmod 700"),
}


@pytest.mark.parametrize("loose", LOOSE)
@pytest.mark.check("F05")
async def test_a_loose_file_or_folder_is_refused(closed: Path, loose: str) -> None:
    mode, remedy = LOOSE[loose]
    path = closed.parent if loose == "/.." else closed.with_name(closed.name + loose)
    path.touch()
    path.chmod(mode)

    with pytest.raises(ConfigurationError, match=remedy):
        await SqliteRows(closed).open()


async def test_a_link_to_a_database_is_refused(closed: Path) -> None:
    link = closed.with_name("link.sqlite")
    link.symlink_to(closed)

    with pytest.raises(ConfigurationError, match="symbolic link"):
        await SqliteRows(link).open()


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=0o600)

    with pytest.raises(ConfigurationError, match="is not a folder: choose another path"):
        await SqliteRows(tmp_path / "file" / "webex.sqlite").open()


@pytest.mark.check("H06")
@pytest.mark.parametrize(
    ("statements", "mistake"),
    [
        ([f"PRAGMA user_version = {SCHEMA_VERSION + 1}"], "was written by a newer webex-oauth"),
        ([OURS, f"PRAGMA user_version = {SCHEMA_VERSION - 1}"], "by an older webex-oauth"),
        (["CREATE TABLE notes (text)"], "is another program's database"),
        (["PRAGMA user_version = 7"], "is another program's database"),
    ],
    ids=["newer", "older", "another program's", "another program's, empty"],
)
async def test_a_file_of_another_layout_is_refused_and_left_alone(
    database: Path, statements: list[str], mistake: str
) -> None:
    if "newer" in mistake:
        await SqliteRows(database).open()
    make_private_file(database)
    run(database, *statements)
    before = every_byte(database.parent)

    with pytest.raises(
        ConfigurationError, match=f"{database} .*{mistake}.*: .*another file"
    ) as one:
        await SqliteRows(database).open()

    assert len(one.value.mistakes) == 1
    assert every_byte(database.parent) == before


async def test_a_file_that_is_no_database_is_refused_and_left_alone(database: Path) -> None:
    make_private_file(database, DIARY)

    with pytest.raises(ConfigurationError, match="not a SQLite database"):
        await SqliteRows(database).open()

    assert every_byte(database.parent) == DIARY


def test_an_old_library_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"SQLite 3\.36\.0 is too old"):
        check_sqlite_version((3, 36, 0))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "bogus"),
        ("name", b""),
        ("name", b"x" * 65),
        ("name", "text"),
        ("rev", 0),
        ("rev", 2**62 + 1),
        ("rev", "1.5"),
        ("body", None),
        ("body", "text"),
        ('"group"', b""),
        ('"group"', b"x" * 65),
        ("at", -1),
        ("at", 2**38),
        ("over_at", -1),
        ("over_at", "soon"),
    ],
)
async def test_a_value_that_cannot_be_is_refused_by_the_file(
    sqlite_rows: SqliteRows, database: Path, column: str, value: object
) -> None:
    await store(sqlite_rows, row())

    with (
        closing(sqlite3.connect(database, isolation_level=None)) as connection,
        pytest.raises(sqlite3.IntegrityError),
    ):
        connection.execute(f"UPDATE rows SET {column} = ?", (value,))  # noqa: S608 - ours
