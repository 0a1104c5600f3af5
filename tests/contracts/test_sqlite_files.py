"""What a SQLite store leaves on the disk: nothing for others to read, nothing lost."""

import _sqlite3
import ctypes
import os
import sqlite3
import stat
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from secrets import token_urlsafe

import pytest
from contracts.rows import NOW, admission, attempt, grant, name, session

from webex_oauth.errors import ConfigurationError
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.stores.sqlite.schema import SCHEMA_VERSION
from webex_oauth.vault.attempts import Attempt, seal_attempt
from webex_oauth.vault.grants import Grant, seal_grant
from webex_oauth.vault.records import AttemptRecord, digest
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
from webex_oauth.vault.sessions import Profile, Session, seal_session
from webex_oauth.vault.store import ABSENT, Admission

pytestmark = pytest.mark.anyio

SEALER = Sealer(KeyRing(Key("one", os.urandom(32))), os.urandom)


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def spellings(secret: Secret | None) -> list[bytes]:
    """Spell a secret as it might be kept by mistake."""
    assert secret is not None
    raw = secret.reveal().encode()
    decoded = urlsafe_b64decode(raw + b"==")
    return [raw, raw[:12], decoded, raw.hex().encode(), decoded.hex().encode(), b64encode(raw)]


def every_byte(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def make_database(database: Path) -> None:
    store = SqliteStore(database)
    await store.open()
    await store.close()


@pytest.mark.usefixtures("no_umask")
@pytest.mark.check("F05")
async def test_nobody_else_can_read_the_files(tmp_path: Path) -> None:
    database = tmp_path / "outer" / "data" / "webex.sqlite"
    store = SqliteStore(database)
    await store.open()
    await store.admit(admission())
    await store.find_grant(name("grant", 1))

    found = modes(database.parent)
    await store.close()

    assert found == dict.fromkeys(["webex.sqlite", "webex.sqlite-wal", "webex.sqlite-shm"], 0o600)
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(database.parent.parent.stat().st_mode) == 0o700


async def test_what_was_written_is_there_after_a_restart(
    sqlite_store: SqliteStore, database: Path
) -> None:
    await sqlite_store.add_attempt(attempt(9), at_most=9, now=NOW)
    await sqlite_store.admit(admission())
    await sqlite_store.close()

    again = SqliteStore(database)
    await again.open()

    assert await again.find_session(name("session", 1)) == session()
    assert await again.find_grant(name("grant", 1)) == grant()
    taken = await again.take_attempt(name("state", 9), name("browser", 1), NOW)
    assert isinstance(taken, AttemptRecord)
    await again.close()


async def test_a_closed_store_leaves_one_whole_file(
    sqlite_store: SqliteStore, database: Path
) -> None:
    await sqlite_store.admit(admission())
    await sqlite_store.find_grant(name("grant", 1))

    await sqlite_store.close()

    assert [path.name for path in database.parent.iterdir()] == [database.name]
    with sqlite3.connect(database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


@pytest.mark.check("D01", "E01")
async def test_no_secret_is_in_any_file_of_an_open_store(
    sqlite_store: SqliteStore, database: Path
) -> None:
    session_id, state = (Secret(token_urlsafe(32)) for _ in range(2))
    attempt = Attempt(Secret(token_urlsafe(32)), "/", "issuer", "redirect", ())
    tokens = TokenSet(Secret(token_urlsafe(64)), NOW, Secret(token_urlsafe(64)), NOW, None)
    grant = seal_grant(SEALER, Grant("issuer", "alice", tokens, frozenset()), None)
    profile = Profile(email="alice@example.com")
    session = Session(digest(session_id), grant.key, profile, NOW, NOW, NOW + 60)
    record = seal_attempt(SEALER, attempt, digest(state), b"browser", NOW + 60)

    await sqlite_store.add_attempt(record, at_most=9, now=NOW)
    await sqlite_store.admit(
        Admission(
            grant=grant,
            expected_version=ABSENT,
            session=seal_session(SEALER, session),
            attempt_state_digest=digest(state),
            earlier=None,
            replaced_session=None,
            idle_seconds=60,
            keeps_grants=False,
        )
    )

    secrets = [session_id, state, attempt.verifier, tokens.access_token, tokens.refresh_token]
    content = every_byte(database.parent)
    assert digest(session_id) in content
    assert b"alice@example.com" not in content
    assert [found for secret in secrets for found in spellings(secret) if found in content] == []


@pytest.fixture
def forgetful_sqlite() -> Iterator[None]:
    """Let SQLite keep deleted bytes by default, as it comes from its makers.

    Distributions often build it to overwrite them. An extension runs in each new connection
    before its owner can use it.
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
async def test_deleted_rows_leave_no_trace(sqlite_store: SqliteStore, database: Path) -> None:
    await sqlite_store.admit(admission())
    await sqlite_store.end_grant(name("grant", 1), now=NOW)
    await sqlite_store.drop_revocation(name("grant", 1), 1)

    await sqlite_store.close()

    content = every_byte(database.parent)
    assert grant().sealed not in content
    assert session().sealed not in content


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
@pytest.mark.check("F05")
async def test_a_loose_file_is_refused(tmp_path: Path, suffix: str) -> None:
    database = tmp_path / "data" / "webex.sqlite"
    await make_database(database)
    loose = database.with_name(database.name + suffix)
    loose.touch()
    loose.chmod(0o640)

    with pytest.raises(ConfigurationError, match=f"chmod 600 .*{loose.name}"):
        await SqliteStore(database).open()


@pytest.mark.check("F05")
async def test_a_loose_folder_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "data" / "webex.sqlite"
    await make_database(database)
    database.parent.chmod(0o750)

    with pytest.raises(ConfigurationError, match="chmod 700"):
        await SqliteStore(database).open()


async def test_a_link_to_a_database_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "data" / "webex.sqlite"
    await make_database(database)
    link = database.with_name("link.sqlite")
    link.symlink_to(database)

    with pytest.raises(ConfigurationError, match="symbolic link"):
        await SqliteStore(link).open()


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=0o600)

    with pytest.raises(ConfigurationError, match="is not a folder: choose another path"):
        await SqliteStore(tmp_path / "file" / "webex.sqlite").open()


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "data" / "webex.sqlite"
    await make_database(database)
    with sqlite3.connect(database) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = every_byte(database.parent)

    with pytest.raises(ConfigurationError, match="newer webex-oauth"):
        await SqliteStore(database).open()

    assert every_byte(database.parent) == before


async def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "data" / "webex.sqlite"
    database.parent.mkdir(mode=0o700)
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE notes (text TEXT)")
    connection.close()
    database.chmod(0o600)

    with pytest.raises(ConfigurationError, match="another program"):
        await SqliteStore(database).open()

    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("notes",)]
    connection.close()


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "data" / "webex.sqlite"
    database.parent.mkdir(mode=0o700)
    database.touch(mode=0o600)
    database.write_text("a diary, and nothing else")

    with pytest.raises(ConfigurationError, match="not a SQLite database"):
        await SqliteStore(database).open()

    assert database.read_text() == "a diary, and nothing else"
